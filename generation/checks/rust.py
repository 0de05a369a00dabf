"""Imports in Rust: modules of the crate, crates that it depends on, those that come with the language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

from collab.syntax.syntax import Syntax
from generation.checks.finding import Missing, Project, Used

_QUERY: Final = """
(use_declaration argument: (_) @path)
(extern_crate_declaration name: (identifier) @path)
(mod_item name: (identifier) @module)
"""
_ALWAYS: Final = frozenset({"std", "core", "alloc", "proc_macro", "test", "crate", "self", "super", "Self"})
_DEFINES: Final = r"\b(?:mod|enum|struct|trait|type|fn|union|macro_rules!|as|use\s+[\w:]+::)\s*{}\b"


class RustImports:
    """Implements generation.checks.finding.ImportChecker."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def used(self, syntax: Syntax, path: str, text: str) -> list[Used]:
        """First names of paths that are used, and ``mod name`` for modules that stand in other files."""
        found = []
        lines = text.split("\n")
        for match in syntax.matches(path, text, _QUERY):
            for one in match.get("path", ()):
                found += [Used(name, one.line) for name in _firsts(one.text)]
            for one in match.get("module", ()):
                line = lines[one.line - 1]
                before = lines[one.line - 2] if one.line > 1 else ""
                inside = "declaration_list" in one.around
                if (
                    re.search(rf"\bmod\s+{re.escape(one.text)}\s*;", line)
                    and "#[" not in before + line
                    and not inside
                ):
                    found.append(Used(f"mod {one.text}", one.line))
        return found

    def missing(self, path: str, text: str, name: str) -> Missing | None:
        """What is wrong with the use of a crate, or with a module."""
        if name.startswith("mod "):
            return self._module(path, name[4:])
        if name in _ALWAYS or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            return None
        if name in self._crates or re.search(_DEFINES.format(re.escape(name)), text):
            return None
        if re.search(r"\buse\s+[\w:]+::\*", text) or self._module(path, name) is None:
            return None
        if not self._manifests:
            return Missing(f"{name} is no crate of the project, and no Cargo.toml says what it depends on.", False)
        return Missing(f"{name} is no crate that {', '.join(self._manifests[:3])} depends on.", True)

    def _module(self, path: str, name: str) -> Missing | None:
        folder, _, file = path.rpartition("/")
        prefix = f"{folder}/" if folder else ""
        places = [f"{prefix}{name}.rs", f"{prefix}{name}/mod.rs"]
        if file not in {"main.rs", "lib.rs", "mod.rs"}:
            inside = f"{prefix}{file.removesuffix('.rs')}/"
            places += [f"{inside}{name}.rs", f"{inside}{name}/mod.rs"]
        if any(place in self._paths for place in places):
            return None
        return Missing(f"there is no file for the module {name} beside {path}.", True)

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(self._project.paths())

    @cached_property
    def _manifests(self) -> list[str]:
        return sorted(path for path in self._paths if path.rpartition("/")[2] == "Cargo.toml")

    @cached_property
    def _crates(self) -> frozenset[str]:
        names: set[str] = set()
        for path in self._manifests:
            text = self._project.text(path) or ""
            try:
                names.update(_named(tomllib.loads(text)))
            except tomllib.TOMLDecodeError:
                names.update(re.findall(r"^\s*([\w-]+)\s*=", text, re.MULTILINE))
        return frozenset(name.replace("-", "_") for name in names)


def _firsts(path: str) -> Iterator[str]:
    """The first names of a use: ``a::b``, ``{a::b, c}``, ``::a``."""
    text = path.strip().removeprefix("::").strip()
    if text.startswith("{"):
        depth, start = 0, 1
        for at, sign in enumerate(text):
            depth += (sign == "{") - (sign == "}")
            if (sign == "," and depth == 1) or (sign == "}" and depth == 0):
                if text[start:at].strip():
                    yield from _firsts(text[start:at])
                start = at + 1
        return
    found = re.match(r"(?:r#)?\w+", text)
    if found:
        yield found[0].removeprefix("r#")


def _named(data: Mapping[str, object]) -> Iterator[str]:
    for key, value in data.items():
        if not isinstance(value, dict):
            continue
        if key.endswith("dependencies"):
            yield from value
        elif key in {"package", "lib"} and isinstance(value.get("name"), str):
            yield value["name"]
        if key not in {"package", "lib"}:
            yield from _named(value)
