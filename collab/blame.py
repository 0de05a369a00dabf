"""Who wrote what of a text that stands now: the table of authors, mapped to ranges. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from collab.attribution import NOBODY, Activity, Attribution, Author, joined_activity
from collab.document import Document
from collab.ids import FileId

SITTING_MS: Final = 300_000
"""What one author wrote next to each other with no longer a break is one range."""


@dataclass(slots=True)
class BlameRange:
    """A part of a text, in code points, and who wrote it, when last (milliseconds since 1970, 0 if unknown)."""

    start: int
    end: int
    author: Author
    at_ms: int


def blame(document: Document, file: FileId, table: Attribution) -> list[BlameRange]:
    """Who wrote which part of a file: ranges in order, without a gap between them. Raises NotFound."""
    text = document.text(file)
    runs = [run for run in document.runs(file) if run.alive]
    # A document holds more than text, and characters of two units, but seldom.
    simple = sum([run.length for run in runs]) == len(text)
    ranges: list[BlameRange] = []
    author, earliest, latest, at, start = NOBODY, 0, 0, 0, 0
    written = table.written
    for run in runs:
        units = b"" if simple else run.units
        if not simple and not units:
            continue
        done = 0
        for length, by, first, last in written(run.client, run.clock, run.length):
            if by is not author or first - latest >= SITTING_MS or earliest - last >= SITTING_MS:
                if at > start:
                    ranges.append(BlameRange(start, at, author, latest))
                author, earliest, latest, start = by, first, last, at
            else:
                if first < earliest:
                    earliest = first
                if last > latest:
                    latest = last
            at += length if simple else _code_points(units[done * 2 : (done + length) * 2])
            done += length
    if at > start:
        ranges.append(BlameRange(start, at, author, latest))
    return ranges


def activity(
    document: Document, table: Attribution, at_ms: int, files: Iterable[FileId] | None = None
) -> dict[FileId, list[Activity]]:
    """What each author has inserted in each file at or after a time, what was deleted since included.

    Files without any are left out. It costs time in proportion to these ``files`` (None: all). Raises NotFound.
    """
    found: dict[FileId, list[Activity]] = {}
    for file in document.listing().files if files is None else files:
        by: dict[Author, Activity] = {}
        for run in document.runs(file):
            for part in table.inserted(run.client, run.clock, run.length):
                if part.author is not NOBODY and part.last_ms >= at_ms:
                    one = Activity(part.author, max(part.first_ms, at_ms), part.last_ms, part.length)
                    by[part.author] = joined_activity(by.get(part.author), one)
        if by:
            found[file] = sorted(by.values(), key=lambda one: (one.at_ms_first, one.author.kind, one.author.id))
    return found


def _code_points(units: bytes) -> int:
    """How many characters some UTF-16-LE is. Half of one, as Yjs leaves it when cut, counts as one."""
    return len(units.decode("utf-16-le", "replace"))
