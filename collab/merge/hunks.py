"""One hunk of a job's answer on its way into the document, and how it falls into parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

from collab.ids import FileId
from collab.ledger import Ledger
from collab.merge.aligner import Aligner, Change
from collab.merge.parts import Order, Part, PartState
from collab.merge.suggestions import ConflictKind, Kind

HunkId = NewType("HunkId", int)


class HunkState(Enum):
    """What became of a hunk. BLOCKED waits for its text to be complete; REPORTED was handed out."""

    OPEN = "open"
    LANDED = "landed"
    BLOCKED = "blocked"
    REPORTED = "reported"
    WITHDRAWN = "withdrawn"


@dataclass(slots=True, eq=False)
class Hunk:
    """``base_start`` and ``base_end`` are the lines of the base that it replaces.

    What a hunk writes is kept in parts, one for each series of changed lines. In a rewrite of a whole file each
    part stands for itself; else a hunk lands as a whole or not at all.
    """

    id: HunkId
    kind: Kind
    file: FileId
    path: str
    base_start: int
    base_end: int
    before: str
    aligner: Aligner
    asks: bool = False
    """Nothing of it lands before somebody accepts it."""
    state: HunkState = HunkState.OPEN
    reason: str = ""
    conflict: ConflictKind = "none"
    closed: bool = False
    withdrawing: bool = False
    recalling: bool = False
    """It has landed, and is to be taken back and asked instead."""
    created: bool = False
    gathered: list[str] = field(default_factory=list)
    taken: int = 0
    read: bool = False
    """All of its text has been compared with the base."""
    parts: list[Part] = field(default_factory=list)
    own: Ledger = field(default_factory=Ledger)
    """What it has done besides texts: a file that was created or renamed."""
    own_pending: Ledger = field(default_factory=Ledger)

    @property
    def order(self) -> Order:
        """Where its place stands in the base."""
        return self.base_start, self.base_end, self.id

    @property
    def whole(self) -> bool:
        """Whether its parts stand for themselves."""
        return self.kind == "whole_file"

    @property
    def text(self) -> str:
        """What has come of the replacement."""
        return "".join(self.gathered)

    @property
    def empty(self) -> bool:
        """Whether nothing of it is in the document."""
        return self.own.empty and self.own_pending.empty and all(part.empty for part in self.parts)

    @property
    def waits(self) -> bool:
        """Whether a pull has something to do for it."""
        if self.withdrawing:
            return self.state is not HunkState.WITHDRAWN
        if self.recalling:
            return True
        if self.state is HunkState.OPEN:
            return self.closed or self.taken < len(self.gathered)
        return self.state is HunkState.BLOCKED and self.closed

    @property
    def needs_paths(self) -> bool:
        """Whether it takes a path that may not be another file's."""
        return self.kind == "rename_file" or (self.kind == "new_file" and not self.created)

    def block(self, reason: str, conflict: ConflictKind) -> None:
        """From now on its text is only gathered."""
        if self.state is HunkState.OPEN:
            self.state, self.reason, self.conflict = HunkState.BLOCKED, reason, conflict

    def changes(self) -> list[Change]:
        """The changes that what has come since the last time brings, in offsets of the base file."""
        text = "".join(self.gathered[self.taken :])
        self.taken = len(self.gathered)
        if self.read:
            return []
        self.read = self.closed
        found = self.aligner.feed(text, last=self.closed)
        return [(self.base_start + start, self.base_start + end, insert) for start, end, insert in found]

    def part_of(self, change: Change, base: str) -> Part:
        """The part that a change belongs to, which reaches as far in ``base`` as it must for that."""
        start, end = lines_of(change, base, self.base_end)
        last = self.parts[-1] if self.parts else None
        if last is None or start > last.base_end:
            last = Part(self.order, start, start)
            self.parts.append(last)
        last.base_end = max(last.base_end, end)
        return last

    def complete(self, part: Part) -> bool:
        """Whether no more changes of this part will come."""
        return self.closed or part is not self.parts[-1] or self.base_start + self.aligner.at > part.base_end


def lines_of(change: Change, base: str, limit: int) -> tuple[int, int]:
    """The whole lines of ``base`` that a change touches; an empty range where it only inserts lines.

    ``limit`` is the end of the hunk, behind which no line is its own.
    """
    start, end, insert = change
    first = base.rfind("\n", 0, start) + 1
    if start == end and start == first and (start == limit or insert.endswith("\n")):
        return start, start
    if end > start and base[end - 1] == "\n":
        return first, end
    newline = base.find("\n", end)
    return first, newline + 1 if newline >= 0 else len(base)


def overlap(one: Hunk, other: Hunk) -> bool:
    """Whether two hunks replace some of the same text of the base."""
    if one.file != other.file or not {one.kind, other.kind} <= {"hunk", "whole_file"}:
        return False
    if one.whole or other.whole:
        return True
    return one.base_start < other.base_end and other.base_start < one.base_end


def contested(hunk: Hunk) -> list[Part]:
    """The parts that met a change of somebody else."""
    return [part for part in hunk.parts if part.state is PartState.CONTESTED]
