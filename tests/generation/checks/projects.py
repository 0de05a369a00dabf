"""Projects in memory, and what an answer makes of them."""

from __future__ import annotations

from collections.abc import Mapping

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.merge.hunks import HunkId
from collab.syntax.syntax import Syntax
from generation.checks.checks import Checks
from generation.checks.finding import Finding
from generation.draft import Draft

SYNTAX = Syntax()


def draft(files: Mapping[str, str], changed: Mapping[str, str]) -> Draft:
    """The answer gives each of the changed files a new text."""
    document = Document(ClientId(1))
    for path, text in files.items():
        _add(document, path, text)
    made = Draft(document.listing(), document.text)
    for number, (path, text) in enumerate(changed.items()):
        made.note(path, HunkId(number), 0, len(files.get(path, "")), text)
    return made


def _add(document: Document, path: str, text: str) -> None:
    document.edit(lambda editor: editor.create(FileId(f"id-{path}"), path, text))


def examined(made: Draft) -> list[Finding]:
    """What the checks find in a draft."""
    steps = Checks(SYNTAX).examine(made)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return list(end.value)


def found(files: Mapping[str, str], changed: Mapping[str, str]) -> list[Finding]:
    """What the checks find in changed files."""
    return examined(draft(files, changed))


def said(files: Mapping[str, str], path: str, text: str) -> list[str]:
    """What the checks find in one changed file, in words."""
    return [str(one) for one in found(files, {path: text})]
