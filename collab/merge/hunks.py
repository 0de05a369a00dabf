"""One hunk of a job's answer on its way into the document: its place, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

from collab.ids import FileId
from collab.ledger import Ledger
from collab.merge.aligner import Aligner
from collab.merge.suggestions import Kind

HunkId = NewType("HunkId", int)
Order = tuple[int, int, int]
"""Sorts the hunks of a file as their places stand in the base."""
Spans = list[tuple[int, int, int]]
"""Changes of a text as (start, end, inserted length), in code points of the text before all of them."""


class HunkState(Enum):
    """What became of a hunk. BLOCKED waits for its text to be complete; REPORTED was handed out."""

    OPEN = "open"
    LANDED = "landed"
    BLOCKED = "blocked"
    REPORTED = "reported"
    WITHDRAWN = "withdrawn"


@dataclass(slots=True, eq=False)
class Hunk:
    """``base_start`` and ``base_end`` count in the base, ``start`` and ``end`` in the fork as it is now.

    ``loose_end``: text that somebody types at ``end`` belongs to the hunk's last line, or to the hunk's
    place if that is empty; false if the place ends with a line's end.
    """

    id: HunkId
    kind: Kind
    file: FileId
    path: str
    before: str
    base_start: int
    base_end: int
    to_end: bool
    start: int
    end: int
    loose_end: bool
    aligner: Aligner
    state: HunkState = HunkState.OPEN
    reason: str = ""
    closed: bool = False
    withdrawing: bool = False
    created: bool = False
    touched: bool = False
    pieces: list[str] = field(default_factory=list)
    taken: int = 0
    done: Ledger = field(default_factory=Ledger)
    pending: Ledger = field(default_factory=Ledger)

    @property
    def order(self) -> Order:
        """Where the place stands in the base."""
        return self.base_start, self.base_end, self.id

    def follow(self, changes: Spans, order: Order | None) -> None:
        """Moves the place through changes of the file's text; notes whether people touched it.

        ``order`` is that of the hunk which made the changes; None for people.
        """
        start, end = self.start, self.end
        for at, until, inserted in changes:
            if order is None and at < end and until > start and until > at:
                self.touched = True
            self.start -= max(0, min(until, start) - at)
            self.end -= max(0, min(until, end) - at)
            if not inserted:
                continue
            if at < start or (at == start and order is not None and order < self.order):
                self.start += inserted
                self.end += inserted
            elif order is None and (at < end or (at == end and self.loose_end)):
                self.touched = True
                self.end += inserted
            elif order is not None and start < at < end:
                # Another hunk over the same lines, whose changes are followed one by one when this one opens.
                self.end += inserted

    def settle(self, text: str) -> None:
        """Looks how the place ends in the file's ``text`` after this hunk changed it."""
        self.loose_end = self.to_end or self.start == self.end or text[self.end - 1] != "\n"

    def succeed(self, other: Hunk) -> None:
        """Takes its place from a withdrawn hunk over the same lines, whose base text was put back there.

        Following that hunk's changes one by one has lost it: they deleted the lines and inserted copies.
        """
        if other.touched:
            self.touched = True
            return
        shift = other.start - other.base_start
        if other.base_start <= self.base_start:
            self.start = self.base_start + shift
        if self.base_end <= other.base_end:
            self.end = self.base_end + shift


def overlap(one: Hunk, other: Hunk) -> bool:
    """Whether two hunks replace some of the same text of the base."""
    if one.file != other.file:
        return False
    if one.to_end or other.to_end:
        return True
    return one.base_start < other.base_end and other.base_start < one.base_end
