"""Reads the settings of one process: from the command line, ``PAIRLOOM_*`` variables, a file, or defaults.

The first of these that names a setting wins, in that order. ``load`` reads them all, once, at the start.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ByteSize, SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource

from server.settings import PREFIX, Settings

CONFIG_VARIABLE: Final = "PAIRLOOM_CONFIG"
CONFIG_FILE: Final = "pairloom.toml"
KEY_VARIABLE: Final = "OPENAI_API_KEY"
MASK: Final = "********"


class SettingsError(Exception):
    """Raised when settings cannot be used. The message names each setting, and what to do."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as it is shown: secrets are masked."""

    name: str
    value: str
    source: str
    description: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings in force, and for each one that is not a default, where it came from."""

    settings: Settings
    sources: Mapping[str, str]

    def rows(self) -> list[SettingRow]:
        """All settings, in the order in which they are declared."""
        return [
            SettingRow(
                name,
                _shown(getattr(self.settings, name)),
                self.sources.get(name, "default"),
                field.description or "",
            )
            for name, field in Settings.model_fields.items()
        ]


def load(config: Path | None = None, overrides: Mapping[str, object] | None = None) -> LoadedSettings:
    """Reads the settings. ``overrides`` come from the command line; those that are None do not count.

    ``config`` is the settings file; without it PAIRLOOM_CONFIG names one, or pairloom.toml in the working
    folder is read if it is there. Raises SettingsError.
    """
    problems = _unknown_variables(os.environ)
    path = _config_path(config)
    values: dict[str, object] = {}
    sources: dict[str, str] = {}

    from_file = _read(path) if path is not None else {}
    problems += [_unknown(f"{path}: {name}", name, Settings.model_fields) for name in sorted(_surplus(from_file))]
    from_environment = EnvSettingsSource(Settings)()
    from_command_line = {name: value for name, value in (overrides or {}).items() if value is not None}
    if problems:
        raise SettingsError("\n".join(problems))

    if key := os.environ.get(KEY_VARIABLE):
        values["api_key"], sources["api_key"] = key, KEY_VARIABLE
    for given, source in (
        (from_file, str(path)),
        (from_environment, ""),
        (from_command_line, "command line"),
    ):
        for name, value in given.items():
            values[name], sources[name] = value, source or PREFIX + name.upper()
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("\n".join(_explained(error, sources))) from None
    for provider in settings.providers:
        provider.read_key(os.environ)
    return LoadedSettings(settings, sources)


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, ByteSize):
        return value.human_readable()
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _config_path(config: Path | None) -> Path | None:
    named = config if config is not None else Path(value) if (value := os.environ.get(CONFIG_VARIABLE)) else None
    if named is None:
        return Path(CONFIG_FILE) if Path(CONFIG_FILE).is_file() else None
    if not named.is_file():
        raise SettingsError(f"{named}: there is no such settings file; correct --config or {CONFIG_VARIABLE}.")
    return named


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is no valid TOML: {error}.") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}.") from error


def _surplus(given: Mapping[str, object]) -> set[str]:
    return given.keys() - Settings.model_fields.keys()


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    given = {name for name in environ if name.upper().startswith(PREFIX)}
    return [_unknown(f"environment: {name}", name, known) for name in sorted(given) if name.upper() not in known]


def _unknown(where: str, name: str, known: Iterable[str]) -> str:
    folded = {candidate.removeprefix(PREFIX).lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.upper().removeprefix(PREFIX).lower(), folded, n=1, cutoff=0.6)
    advice = f"did you mean {folded[near[0]]}?" if near else "`pairloom settings` lists all that there are."
    return f"{where} is no setting; {advice}"


def _explained(error: ValidationError, sources: Mapping[str, str]) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        message = problem["msg"].removeprefix("Value error, ")
        name = str(problem["loc"][0]) if problem["loc"] else ""
        place = ".".join(map(str, problem["loc"]))
        lines.append(f"{place} ({sources.get(name, 'default')}): {message}" if name else message)
    return lines
