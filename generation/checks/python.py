"""Imports in Python: modules of the project, of the standard library, of the distributions that it depends on."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

from collab.syntax.syntax import Syntax
from generation.checks.finding import Missing, Project, Used
from generation.checks.python_names import ALIASES, BROUGHT_ALONG

_QUERY: Final = """
(import_statement name: (dotted_name) @module)
(import_statement name: (aliased_import name: (dotted_name) @module))
(import_from_statement module_name: (_) @module)
"""
_FROM_PACKAGE: Final = """
(import_from_statement module_name: (relative_import) @from name: (dotted_name) @name)
(import_from_statement module_name: (relative_import) @from name: (aliased_import name: (dotted_name) @name))
"""
_OLD: Final = frozenset(
    {"asynchat", "asyncore", "distutils", "imp", "smtpd", "cgi", "cgitb", "crypt", "telnetlib", "pipes", "nntplib",
     "audioop", "aifc", "chunk", "imghdr", "mailcap", "msilib", "nis", "ossaudiodev", "sndhdr", "spwd", "sunau",
     "uu", "xdrlib", "lib2to3", "tomllib", "__main__", "pip", "setuptools", "pkg_resources", "wheel"}
)  # fmt: skip
"""Modules that some versions of Python have, or nearly every environment."""
_GENERATED: Final = re.compile(r"(?:^|\.)(?:_version|version|\w+_pb2(?:_grpc)?|_generated\w*)$")
_REQUIREMENT: Final = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_FILES: Final = re.compile(
    r"(?:^|/)(?:[\w.-]*requirements[\w.-]*\.(?:txt|in)|requirements/[\w.-]+\.(?:txt|in)|constraints[\w.-]*\.txt"
    r"|pyproject\.toml|setup\.cfg|setup\.py|Pipfile|environment\.ya?ml|poetry\.lock|uv\.lock|pdm\.lock|Pipfile\.lock)$"
)


_MOST_SOURCES: Final = 400
_MOST_CHARS: Final = 10_000
"""So many files, and so much of each from its start, are looked at for what is imported elsewhere."""


class PythonImports:
    """Implements generation.checks.finding.ImportChecker."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def used(self, syntax: Syntax, path: str, text: str) -> list[Used]:
        """Modules; of the package that a file is in, what is imported too: ``.name``, ``..pkg.name``."""
        found = []
        for match in syntax.matches(path, text, _QUERY):
            for one in match.get("module", ()):
                plain = "try_statement" not in one.around and one.text.strip(".")
                found += [Used("".join(one.text.split()), one.line)] if plain else []
        for match in syntax.matches(path, text, _FROM_PACKAGE):
            for package, one in zip(match.get("from", ()), match.get("name", ()), strict=False):
                if not package.text.strip(". ") and "try_statement" not in one.around:
                    found.append(Used(f"{package.text.strip()}{one.text}", one.line))
        return found

    def missing(self, path: str, text: str, name: str) -> Missing | None:
        """What is wrong with the import of a module."""
        if _GENERATED.search(name):
            return None
        if name.startswith("."):
            return self._relative(path, name)
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in _OLD:
            return None
        if self._local(top):
            if self._local(name) or (top in self._declared and not self._owned(top)):
                return None
            return Missing(f"the project has no module {name}.", True)
        if self._depends_on(top) or self._used_before(top):
            return None
        if not self._dependency_files:
            return Missing(
                f"{top} is neither in the project nor in the standard library, and no file says what the project "
                "depends on.",
                False,
            )
        files = ", ".join(self._dependency_files[:3])
        return Missing(f"{top} is neither in the project, nor in the standard library, nor in {files}.", True)

    def _relative(self, path: str, name: str) -> Missing | None:
        dots = len(name) - len(name.lstrip("."))
        parts = path.split("/")[:-1]
        if dots - 1 > len(parts):
            return Missing(f"{name} reaches out of the project.", True)
        folder = "/".join(parts[: len(parts) - (dots - 1)])
        prefix = f"{folder}/" if folder else ""
        module = name.lstrip(".").replace(".", "/")
        if self._at(prefix + module):
            return None
        # What is imported from a package may be a name in it.
        init = self._project.text(f"{prefix}__init__.py") or self._project.text(f"{prefix}__init__.pyi")
        if (
            "/" not in module
            and init is not None
            and re.search(rf"\b{re.escape(module)}\b|import \*|__getattr__", init)
        ):
            return None
        return Missing(f"there is no module {name} beside {path}.", True)

    def _at(self, stem: str) -> bool:
        return stem in self._modules

    def _local(self, name: str) -> bool:
        """Whether the project has such a module or package, wherever its sources begin."""
        return name.replace(".", "/") in self._tails

    def _owned(self, top: str) -> bool:
        return any(stem == top or stem == f"src/{top}" for stem in self._modules)

    @cached_property
    def _modules(self) -> frozenset[str]:
        """Paths of modules without their suffix, and of all folders with modules."""
        stems = set()
        for path in self._project.paths():
            stem, dot, suffix = path.rpartition(".")
            if dot and suffix in {"py", "pyi", "pyx", "pxd", "pyw", "ipynb"}:
                stems.add(stem)
                while "/" in stem:
                    stem = stem.rpartition("/")[0]
                    if stem in stems:
                        break
                    stems.add(stem)
        return frozenset(stems)

    @cached_property
    def _tails(self) -> frozenset[str]:
        tails: set[str] = set()
        for stem in self._modules:
            parts = stem.split("/")
            tails.update("/".join(parts[start:]) for start in range(len(parts)))
        return frozenset(tails)

    @cached_property
    def _dependency_files(self) -> list[str]:
        return [path for path in self._project.paths() if _FILES.search(path)]

    @cached_property
    def _declared(self) -> frozenset[str]:
        names: set[str] = set()
        for path in self._dependency_files:
            text = self._project.text(path)
            if text:
                names.update(_plain(name) for name in declared(path, text))
        return frozenset(names)

    def _depends_on(self, top: str) -> bool:
        known = self._declared
        plain = _plain(top)
        if plain in known or any(_plain(name) in known for name in ALIASES.get(top, ())):
            return True
        if any(plain in map(_plain, BROUGHT_ALONG.get(name, ())) for name in known):
            return True
        short = plain.replace("-", "")
        return len(short) >= 4 and any(
            short in name.replace("-", "") or (len(name) >= 4 and name.replace("-", "") in short) for name in known
        )

    def _used_before(self, top: str) -> bool:
        """Whether other files of the project use it already; the draft's own do not count."""
        return top in self._imported

    @cached_property
    def _imported(self) -> frozenset[str]:
        found: set[str] = set()
        sources = [path for path in self._project.paths() if path.endswith((".py", ".pyi"))]
        for path in sources[:_MOST_SOURCES]:
            found.update(_IMPORTS.findall((self._project.before(path) or "")[:_MOST_CHARS]))
        return frozenset(found)


_IMPORTS: Final = re.compile(r"^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)


def declared(path: str, text: str) -> Iterator[str]:
    """The distributions that a dependency file names."""
    name = path.rpartition("/")[2]
    if name in {"pyproject.toml", "Pipfile"} or name.endswith(".lock"):
        try:
            yield from _in_toml(tomllib.loads(text))
        except tomllib.TOMLDecodeError:
            yield from re.findall(r"[\"']([A-Za-z0-9][A-Za-z0-9._-]*)", text)
        if name == "Pipfile.lock":
            yield from re.findall(r'"([A-Za-z0-9][A-Za-z0-9._-]*)"\s*:\s*\{', text)
    elif name == "setup.py":
        yield from re.findall(r"[\"']([A-Za-z0-9][A-Za-z0-9._-]*)", text)
    elif name.startswith("environment"):
        yield from re.findall(r"^\s*-\s*(?:[\w-]+::)?([A-Za-z0-9][A-Za-z0-9._-]*)", text, re.MULTILINE)
    else:
        for line in text.split("\n"):
            if egg := re.search(r"#egg=([\w.-]+)", line):
                yield egg[1]
            elif found := _REQUIREMENT.match(line):
                yield found[1]


def _in_toml(data: Mapping[str, object]) -> Iterator[str]:
    for key, value in data.items():
        if key == "package" and isinstance(value, list):  # a lock file
            yield from (str(one["name"]) for one in value if isinstance(one, dict) and "name" in one)
        elif key == "name" and isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, str) and (found := _REQUIREMENT.match(one)):
                    yield found[1]
        elif isinstance(value, dict):
            if key in {"dependencies", "dev-dependencies", "packages", "dev-packages"}:
                yield from value
            yield from _in_toml(value)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
