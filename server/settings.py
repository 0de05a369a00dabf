"""The settings of one process: from the command line, ``PAIRLOOM_*`` variables, a file, or defaults.

The first of these that names a setting wins, in that order. ``load`` reads them all, once, at the start;
``Settings(...)`` itself reads nothing from outside, so that a test gets what it asks for.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import quote, urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    ByteSize,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from collab.errors import InvalidRoomName
from collab.ids import room_id
from collab.limits import Limits

PREFIX: Final = "PAIRLOOM_"
CONFIG_VARIABLE: Final = "PAIRLOOM_CONFIG"
CONFIG_FILE: Final = "pairloom.toml"
KEY_VARIABLE: Final = "OPENAI_API_KEY"
MASK: Final = "********"

_DEFAULTS: Final = Limits()
_OPEN_ADDRESS: Final = (
    "host is {host}, which other machines can reach, and there is no sign-in yet: everybody who reaches it "
    "could read and change every room. Keep host at 127.0.0.1 and let people in by an SSH tunnel "
    "(ssh -L 8000:127.0.0.1:8000 this-machine) or by a reverse proxy with sign-in on this machine. Where "
    "everybody who reaches the address may do everything, such as inside a container whose port is published "
    "on 127.0.0.1 only, set trusted_network to true."
)


class SettingsError(Exception):
    """Raised when settings cannot be used. The message names each setting, and what to do."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name other than localhost counts as reachable."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _room(value: str) -> str:
    try:
        return room_id(value)
    except InvalidRoomName as error:
        raise ValueError(error.message) from error


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL that starts with http:// or https:// and names a host")
    if "@" in parts.netloc:
        raise ValueError("must hold no name and no password; put the key into api_key")
    return value.rstrip("/")


def _redis_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must be a URL that starts with redis://, rediss:// or unix://")
    return value


def _size(default: int, description: str) -> ByteSize:
    size: ByteSize = Field(default=ByteSize(default), gt=0, description=description)
    return size


def _count(default: int, description: str) -> int:
    count: int = Field(default=default, gt=0, description=description)
    return count


def _seconds(default: float, description: str) -> float:
    seconds: float = Field(default=default, gt=0, allow_inf_nan=False, description=description)
    return seconds


class Settings(BaseSettings):
    """Everything that can be set. Sizes take a number of bytes or a text such as ``16MiB``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    trusted_network: bool = Field(
        default=False,
        description="Says that everybody who can reach the address may read and change every room. "
        "Needed to listen on an address that other machines reach, as there is no sign-in yet.",
    )
    allowed_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Further web origins whose pages may connect, such as https://pairloom.example.org, "
        "separated by commas. Pages that this server serves always may.",
    )
    room: Annotated[str, AfterValidator(_room)] = Field(
        default="main", description="Room that the bare address opens."
    )

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("pairloom", appauthor=False)),
        description="Folder that holds what is stored. The default is the user's data folder.",
    )
    database: Path | None = Field(
        default=None, description="File of the embedded store. The default is pairloom.db in data_dir."
    )
    redis_url: Annotated[SecretStr, AfterValidator(_redis_url)] | None = Field(
        default=None,
        description="Redis to share rooms with other processes. This version only checks the form of the URL "
        "and does not connect: rooms are stored in the embedded store.",
    )
    commit_interval_ms: float = Field(
        default=250.0,
        ge=0,
        le=5_000,
        description="Milliseconds for which edits are collected before one commit stores them together.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important messages that are logged."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How the log is written: text for people, json for machines."
    )

    model: str | None = Field(
        default=None,
        min_length=1,
        description="Model that answers, as its provider calls it. Without one, templates answer and say so.",
    )
    base_url: Annotated[str, AfterValidator(_http_url)] | None = Field(
        default=None,
        description="Address of an OpenAI-compatible endpoint, such as http://127.0.0.1:11434/v1. "
        "The default is OpenAI's.",
    )
    api_key: SecretStr | None = Field(
        default=None, description="Key for the model's provider. The default is what OPENAI_API_KEY holds."
    )
    model_context_tokens: int = Field(
        default=128_000, ge=1_000, description="Tokens that the model takes in, prompt and answer together."
    )
    model_timeout_connect: float = _seconds(10.0, "Seconds to wait for a connection to the provider.")
    model_timeout_first_token: float = _seconds(60.0, "Seconds to wait for the first token of an answer.")
    model_timeout_silence: float = _seconds(30.0, "Seconds without a token after which an answer counts as cut.")
    model_timeout_total: float = _seconds(600.0, "Seconds that one answer may take.")
    merge_interval_ms: float = Field(
        default=40.0,
        gt=0,
        le=5_000,
        description="Milliseconds between two merges of what a job writes into the room.",
    )
    jobs_running: int = _count(4, "Jobs that run at the same time; others wait.")

    limit_frame_bytes: ByteSize = _size(_DEFAULTS.frame_bytes, "Largest WebSocket message.")
    limit_document_bytes: ByteSize = _size(_DEFAULTS.document_bytes, "Largest encoded state of one room.")
    limit_file_bytes: ByteSize = _size(_DEFAULTS.file_bytes, "Largest file at import, upload or whole-file write.")
    limit_files: int = _count(_DEFAULTS.files, "Files in one room.")
    limit_pending_bytes: ByteSize = _size(
        _DEFAULTS.pending_bytes, "Updates of one room that wait for a missing one."
    )
    limit_presence_bytes: ByteSize = _size(_DEFAULTS.presence_bytes, "Largest awareness state of one client.")
    limit_presence_clients: int = _count(_DEFAULTS.presence_clients, "Awareness states in one room.")
    limit_presence_timeout: float = _seconds(
        _DEFAULTS.presence_timeout, "Seconds after which an awareness state that nobody renewed is dropped."
    )
    limit_outbox_bytes: ByteSize = _size(
        _DEFAULTS.outbox_bytes,
        "Bytes that wait for one slow reader before its updates are dropped and caught up later.",
    )
    limit_connections: int = _count(_DEFAULTS.connections, "Connections of the process.")
    limit_room_connections: int = _count(_DEFAULTS.room_connections, "Connections of one room.")
    limit_open_rooms: int = _count(_DEFAULTS.open_rooms, "Rooms in memory; idle ones are unloaded first.")
    limit_idle_room_seconds: float = _seconds(
        _DEFAULTS.idle_room_seconds,
        "Seconds after which a room without connections and jobs is unloaded; one that loads quickly goes sooner.",
    )
    limit_prompt_chars: int = _count(_DEFAULTS.prompt_chars, "Characters in one prompt.")
    limit_jobs_per_room: int = _count(_DEFAULTS.jobs_per_room, "Jobs of one room that wait or run.")
    limit_operation_history: int = _count(
        _DEFAULTS.operation_history, "Text operations per file that a native client may lag behind."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: ``load`` puts the sources together and knows where a value came from."""
        return (init_settings,)

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
                raise ValueError(f"{origin!r} is no origin; write it like https://pairloom.example.org")
        return [origin.rstrip("/").lower() for origin in value]

    @field_validator("data_dir", "database")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None

    @model_validator(mode="after")
    def _refuse_open_address(self) -> Settings:
        if not is_loopback(self.host) and not self.trusted_network:
            raise ValueError(_OPEN_ADDRESS.format(host=self.host))
        return self

    @property
    def database_path(self) -> Path:
        """The embedded store's file."""
        return self.database if self.database is not None else self.data_dir / "pairloom.db"

    @property
    def address(self) -> str:
        """The URL at which this machine reaches the server, without a slash at the end."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - not bound here
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port}"

    @property
    def room_url(self) -> str:
        """The URL of the default room's page."""
        return f"{self.address}/r/{quote(self.room, safe='/%')}"

    def limits(self) -> Limits:
        """The bounds that the core takes."""
        kinds = {"int": int, "float": float}
        return Limits(**{f.name: kinds[str(f.type)](getattr(self, f"limit_{f.name}")) for f in fields(Limits)})

    def secrets(self) -> list[str]:
        """Values that must appear in no log and no message."""
        values = (self.api_key, self.redis_url)
        return [value.get_secret_value() for value in values if value is not None]


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
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)


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
        lines.append(f"{name} ({sources.get(name, 'default')}): {message}" if name else message)
    return lines
