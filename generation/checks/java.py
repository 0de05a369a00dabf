"""Imports in Java: packages of the project, of what it is built with, of the platform."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from collab.syntax.syntax import Syntax
from generation.checks.finding import Missing, Project, Used

_QUERY: Final = "(import_declaration [(scoped_identifier) (identifier)] @path)"
_PLATFORM: Final = (
    "java.", "javax.", "jdk.", "sun.", "com.sun.", "org.w3c.", "org.xml.", "org.ietf.", "netscape.", "android.",
    "androidx.", "kotlin.", "kotlinx.", "dalvik.",
)  # fmt: skip
_BUILD: Final = re.compile(
    r"(?:^|/)(?:pom\.xml|build\.gradle(?:\.kts)?|libs\.versions\.toml|ivy\.xml|build\.sbt)$"
)
_GROUP: Final = re.compile(
    r"<groupId>\s*([\w.-]+)\s*</groupId>|<artifactId>\s*([\w.-]+)\s*</artifactId>"
    r"|[\"']([\w.-]+):([\w.-]+)(?::[\w.${}-]+)?[\"']|\bid[ (]*[\"']([\w.-]+)[\"']|org=\"([\w.-]+)\""
)


class JavaImports:
    """Implements generation.checks.finding.ImportChecker."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def used(self, syntax: Syntax, path: str, text: str) -> list[Used]:
        """Names of classes, or of packages whose classes are all imported."""
        return [
            Used("".join(one.text.split()), one.line)
            for match in syntax.matches(path, text, _QUERY)
            for one in match["path"]
        ]

    def missing(self, path: str, text: str, name: str) -> Missing | None:
        """What is wrong with the import of a name."""
        if name.startswith(_PLATFORM) or "." not in name:
            return None
        parts = name.split(".")
        if any("/".join(parts[:count]) in self._sources for count in range(len(parts), 1, -1)):
            return None
        if any(f"{'/'.join(parts[:count])}/" in self._folders for count in range(len(parts) - 1, 1, -1)):
            # The package is the project's own, and has no such class.
            return Missing(f"the project has no class {name}.", True)
        words = {part for part in parts[:3] if part not in {"org", "com", "io", "net", "dev", "de", "me"}}
        if self._built and (words & self._built_words or parts[0] == "jakarta"):
            return None
        if not self._built:
            return Missing(f"{name} is not in the project, and no build file says what it depends on.", False)
        return Missing(f"{name} is neither in the project nor in what it is built with.", not self._catalogued)

    @cached_property
    def _sources(self) -> frozenset[str]:
        """Ends of paths of sources, without their suffix."""
        ends: set[str] = set()
        for path in self._project.paths():
            stem, dot, suffix = path.rpartition(".")
            if dot and suffix in {"java", "kt", "groovy", "scala", "proto", "g4"}:
                parts = stem.split("/")
                ends.update("/".join(parts[start:]) for start in range(len(parts)))
        return frozenset(ends)

    @cached_property
    def _folders(self) -> frozenset[str]:
        ends: set[str] = set()
        for path in self._project.paths():
            if path.endswith((".java", ".kt")):
                parts = path.split("/")[:-1]
                ends.update("/".join(parts[start:]) + "/" for start in range(len(parts)))
        return frozenset(ends)

    @cached_property
    def _built(self) -> list[str]:
        return [path for path in self._project.paths() if _BUILD.search(path)]

    @cached_property
    def _built_words(self) -> frozenset[str]:
        words: set[str] = set()
        for path in self._built:
            for groups in _GROUP.findall(self._project.text(path) or ""):
                for name in groups:
                    words.update(re.split(r"[.-]", name))
        return frozenset(words)

    @cached_property
    def _catalogued(self) -> bool:
        """Whether a build file names its dependencies by a catalogue that is not in the project."""
        texts = [self._project.text(path) or "" for path in self._built]
        return any(re.search(r"\blibs\.\w", text) for text in texts) and not any(
            path.endswith("libs.versions.toml") for path in self._built
        )
