"""Checks the files that an answer changes, as the answer makes them."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final

from collab.merge.hunks import HunkId
from collab.syntax.syntax import Syntax
from generation.checks import syntax as syntaxes
from generation.checks.finding import Finding, ImportChecker
from generation.checks.go import GoImports
from generation.checks.java import JavaImports
from generation.checks.javascript import ScriptImports
from generation.checks.python import PythonImports
from generation.checks.rust import RustImports
from generation.draft import Draft, FileDraft

MOST_TRIED: Final = 30
"""Hunks of one file that are left out one by one, to see which of them breaks it."""
MOST_TOLD: Final = 20
"""Findings of one file; more say nothing new."""


class Checks:
    """Checks drafts; for one thread at a time, as the parsers are."""

    def __init__(self, syntax: Syntax) -> None:
        self._syntax = syntax

    def examine(self, draft: Draft) -> Generator[None, None, list[Finding]]:
        """What is wrong with what a draft changes and was not wrong before; yields every few milliseconds."""
        known: dict[str, ImportChecker] = {}
        found: list[Finding] = []
        for file in list(draft.files.values()):
            path, text = draft.path_now(file.path), file.text()
            if text == file.base:
                continue
            for version in (file.base, text):
                if len(version) <= syntaxes.MOST_CHARS:
                    yield from self._syntax.warm(path, version)
            broken = syntaxes.check(self._syntax, path, file.base, text)
            yield
            if broken is not None:
                found.append(broken)
            else:
                found += list(self._imports(draft, known, path, file.base, text))[:MOST_TOLD]
            yield
        return found

    def culprits(self, file: FileDraft, path: str, finding: Finding) -> list[HunkId]:
        """Which of the changes of a file bring what was found: those alone if that is certain, else all."""
        hunks = [edit.hunk for edit in file.edits]
        if len(hunks) == 1:
            return hunks
        if finding.kind == "import":
            return [edit.hunk for edit in file.edits if finding.mark in edit.text] or hunks
        for hunk in hunks[:MOST_TRIED]:
            rest = file.text(without={hunk})
            if rest == file.base or syntaxes.check(self._syntax, path, file.base, rest) is None:
                return [hunk]
        return hunks

    def _imports(
        self, draft: Draft, known: dict[str, ImportChecker], path: str, base: str, text: str
    ) -> Iterable[Finding]:
        checker = self._checker(draft, known, path)
        if checker is None or len(text) > syntaxes.MOST_CHARS:
            return
        before = {one.name for one in checker.used(self._syntax, path, base)} if base.strip() else set()
        told = set()
        for name, line in checker.used(self._syntax, path, text):
            if name in before or name in told:
                continue
            missing = checker.missing(path, text, name)
            if missing is not None:
                told.add(name)
                mark = name.removeprefix("mod ").lstrip(".") or name
                yield Finding(path, line, "import", missing.why, missing.certain, mark)

    def _checker(self, draft: Draft, known: dict[str, ImportChecker], path: str) -> ImportChecker | None:
        language = self._syntax.language(path)
        if language in {"javascript", "typescript", "tsx"}:
            language = "script"
        if language not in known:
            match language:
                case "python":
                    known[language] = PythonImports(draft)
                case "script":
                    known[language] = ScriptImports(draft)
                case "go":
                    known[language] = GoImports(draft)
                case "rust":
                    known[language] = RustImports(draft)
                case "java":
                    known[language] = JavaImports(draft)
                case _:
                    return None
        return known[language]
