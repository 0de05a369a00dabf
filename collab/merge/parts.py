"""One series of changed lines within a hunk: its place in the fork, what was written, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from collab.ledger import Ledger
from collab.merge.aligner import Change

Order = tuple[int, int, int]
"""Sorts the hunks of a file as their places stand in the base: start, end, number of the hunk."""


class PartState(Enum):
    """What became of a part.

    OPEN is being written, or waits for the rest. CONTESTED met a change of somebody else: what it had written is
    taken back, and its text is gathered until it is complete.
    """

    OPEN = "open"
    LANDED = "landed"
    CONTESTED = "contested"
    SETTLED = "settled"
    """It was contested, and has become a merge or a suggestion."""


@dataclass(slots=True, eq=False)
class Part:
    """``base_start`` and ``base_end`` are whole lines of the base that the part replaces; ``start`` and ``end``
    hold what stands for them in the fork, once something of it is written.

    ``line`` is where in the fork the line begins that is being written; what stands before it is complete.
    """

    hunk: Order
    base_start: int
    base_end: int
    start: int = 0
    end: int = 0
    line: int = 0
    written: bool = False
    touched: bool = False
    """Somebody else changed the line that is being written, or those that were still to be replaced."""
    state: PartState = PartState.OPEN
    reason: str = ""
    changes: list[Change] = field(default_factory=list)
    done: Ledger = field(default_factory=Ledger)
    pending: Ledger = field(default_factory=Ledger)

    @property
    def order(self) -> tuple[Order, int]:
        """Where its place stands in the base: that of its hunk, and within that its own."""
        return self.hunk, self.base_start

    @property
    def empty(self) -> bool:
        """Whether nothing of it is in the document."""
        return self.done.empty and self.pending.empty

    def text(self, base: str) -> str:
        """What the part makes of its lines of ``base``."""
        at, out = self.base_start, []
        for start, end, insert in self.changes:
            out += [base[at:start], insert]
            at = end
        return "".join([*out, base[at : self.base_end]])

    def follow(self, changes: list[Change], order: tuple[Order, int] | None) -> None:
        """Moves the place through changes of the file's text, in offsets of the text before all of them.

        ``order`` is that of the part which made the changes; None for anybody else.
        """
        if not self.written:
            return
        start, line, end = self.start, self.line, self.end
        for at, until, text in changes:
            if order is None and self.state is PartState.OPEN and _meets(at, until, text, start, line, end):
                self.touched = True
            self.start -= max(0, min(until, start) - at)
            self.line -= max(0, min(until, line) - at)
            self.end -= max(0, min(until, end) - at)
            grown = len(text)
            if not grown:
                continue
            if at < start or (at == start and (order is None or order < self.order)):
                self.start += grown
                self.line += grown
                self.end += grown
            elif at < end:
                self.line += grown if at <= line else 0
                self.end += grown


def _meets(at: int, until: int, text: str, start: int, line: int, end: int) -> bool:
    """Whether a change by somebody else meets the line that is being written, from ``line`` to ``end``."""
    if until > at and at < end and until > line:
        return True
    if start < line == until and until > at:
        return True  # The end of the line before went, so that the two are one now.
    if not text or line == end:
        return False
    if at == line:
        return not text.endswith("\n")
    return line < at <= end
