"""What was done in a world, and when it reached the server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from collab.ids import ClientId, FileId
from collab.wire import IdRange
from tests.lost_keystrokes.order import Id
from tests.lost_keystrokes.texts import WORD, WORD_BEGUN, WORD_LENGTH


@dataclass(slots=True, eq=False)
class Edit:
    """One thing that a person did. ``left`` and ``right`` are what the text was typed between; None at an end.

    ``arrived`` is the number of the server's step that brought it; 0 as long as it is under way.
    """

    person: int
    file: FileId
    left: Id | None = None
    right: Id | None = None
    left_char: str = ""
    right_char: str = ""
    text: str = ""
    inserted: IdRange | None = None
    deleted: list[IdRange] = field(default_factory=list)
    structural: bool = False
    arrived: int = 0


@dataclass(slots=True, eq=False)
class Merge:
    """One merge of a job, or a choice by somebody for it: ids that came and went at the server's step.

    ``entries`` are the files that were added, renamed or deleted.
    """

    step: int
    inserted: list[IdRange]
    deleted: list[IdRange]
    entries: set[FileId]


def words_cut(text: str, start: int, end: int, *, beside: bool = False) -> list[str]:
    """The words of which a change from ``start`` to ``end`` takes a part, or in which it types, or ``beside``."""
    low = max(0, start - WORD_LENGTH)
    return [
        found[0]
        for found in WORD.finditer(text, low, end + WORD_LENGTH)
        if found.start() < end + beside and found.end() > start - beside
    ]


def words_begun(text: str, start: int, end: int) -> list[tuple[str, str]]:
    """The words that a model had only begun to write, of which a change takes a part or which it parts.

    Each with what stands before it in its line, by which it can be told from others that begin alike.
    """
    low = max(0, start - WORD_LENGTH)
    return [
        (text[text.rfind("\n", 0, found.start()) + 1 : found.start()], found[0])
        for found in WORD_BEGUN.finditer(text, low, end + WORD_LENGTH)
        if found.start() < max(end, start) and found.end() >= start
    ]


def words_meant(begun: Iterable[tuple[str, str]], lines: list[str]) -> set[str]:
    """Which words of a model's lines those are, as far as that can be told."""
    meant: set[str] = set()
    for before, start in begun:
        there = [line for line in lines if line.startswith(before + start)]
        if there:
            meant |= {word[0] for line in there for word in WORD.finditer(line, len(before), len(before) + 7)}
        else:
            meant |= {word for line in lines for word in WORD.findall(line) if word.startswith(start)}
    return meant


def words_made(text: str, start: int, end: int) -> list[str]:
    """The words in a text that a change has made of what stands on both sides of it, or completed."""
    low = max(0, start - WORD_LENGTH)
    return [
        found[0]
        for found in WORD.finditer(text, low, end + WORD_LENGTH)
        if found.start() < max(end, start) and found.end() > min(end, start)
    ]


def grown(before: dict[ClientId, int], after: dict[ClientId, int]) -> list[IdRange]:
    """The ids that came between two state vectors."""
    return [
        IdRange(client, before.get(client, 0), clock - before.get(client, 0))
        for client, clock in after.items()
        if clock > before.get(client, 0)
    ]
