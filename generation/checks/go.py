"""Imports in Go: packages of the module, of the modules that it requires, of the standard library."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from collab.syntax.syntax import Syntax
from generation.checks.finding import Missing, Project, Used

_QUERY: Final = "(import_spec path: (_) @path)"
_STANDARD: Final = frozenset(
    [
        "archive",
        "bufio",
        "builtin",
        "bytes",
        "cmp",
        "compress",
        "container",
        "context",
        "crypto",
        "database",
        "debug",
        "embed",
        "encoding",
        "errors",
        "expvar",
        "flag",
        "fmt",
        "go",
        "hash",
        "html",
        "image",
        "index",
        "io",
        "iter",
        "log",
        "maps",
        "math",
        "mime",
        "net",
        "os",
        "path",
        "plugin",
        "reflect",
        "regexp",
        "runtime",
        "slices",
        "sort",
        "strconv",
        "strings",
        "structs",
        "sync",
        "syscall",
        "testing",
        "text",
        "time",
        "unicode",
        "unique",
        "unsafe",
        "weak",
        "C",
    ]
)
_WHOLE: Final = frozenset(
    [
        "bufio",
        "builtin",
        "bytes",
        "cmp",
        "context",
        "embed",
        "errors",
        "expvar",
        "flag",
        "fmt",
        "iter",
        "maps",
        "plugin",
        "slices",
        "sort",
        "strconv",
        "strings",
        "structs",
        "unique",
        "unsafe",
        "weak",
        "C",
    ]
)
"""Those of them that have no packages inside."""
_REQUIRE: Final = re.compile(
    r"^\s*(?:require\s+|replace\s+)?([\w.-]+\.[\w.-]+(?:/[\w.~-]+)*)\s+(?:v\d|=>)", re.MULTILINE
)
_MODULE: Final = re.compile(r"^\s*module\s+(\S+)", re.MULTILINE)


class GoImports:
    """Implements generation.checks.finding.ImportChecker."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def used(self, syntax: Syntax, path: str, text: str) -> list[Used]:
        """Import paths."""
        return [
            Used(one.text.strip('"`'), one.line)
            for match in syntax.matches(path, text, _QUERY)
            for one in match["path"]
        ]

    def missing(self, path: str, text: str, name: str) -> Missing | None:
        """What is wrong with the import of a path."""
        if name.startswith("."):
            return None
        for module, folder in self._modules:
            if name == module or name.startswith(f"{module}/"):
                inside = (folder + name[len(module) + 1 :]).rstrip("/")
                if inside in self._folders or "internal/gen" in inside or inside.endswith(("pb", "mocks")):
                    return None
                return Missing(f"the module has no package {name}.", True)
        first, _, rest = name.partition("/")
        if first in _STANDARD and not (rest and first in _WHOLE):
            return None
        if any(name == module or name.startswith(f"{module}/") for module in self._required):
            return None
        if not self._manifests:
            return Missing(f"{name} is not in the project, and no go.mod says what it depends on.", False)
        if "." not in first:
            return Missing(f"the standard library has no package {name}.", True)
        return Missing(f"{name} is in no module that {', '.join(self._manifests[:3])} requires.", True)

    @cached_property
    def _manifests(self) -> list[str]:
        return [path for path in self._project.paths() if path.rpartition("/")[2] == "go.mod"]

    @cached_property
    def _modules(self) -> list[tuple[str, str]]:
        """Each module of the project and its folder, with a slash behind."""
        found = []
        for path in self._manifests:
            named = _MODULE.search(self._project.text(path) or "")
            if named:
                found.append((named[1].strip('"'), path[: -len("go.mod")]))
        return sorted(found, key=lambda one: -len(one[0]))

    @cached_property
    def _required(self) -> frozenset[str]:
        names = set()
        for path in self._manifests:
            names.update(_REQUIRE.findall(self._project.text(path) or ""))
        return frozenset(names)

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(path.rpartition("/")[0] for path in self._project.paths() if path.endswith(".go"))
