"""The runs of one client id in the table of who wrote what, as columns of numbers."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

GAP_SECONDS: Final = 10
"""Edits of one author that follow each other within this time are one run."""
SPAN_SECONDS: Final = 60
"""A run lasts no longer, so that its times stay worth something."""


class Rows:
    """Runs of clocks, sorted and apart. Authors are numbers, times seconds since 1970."""

    __slots__ = ("author", "clock", "first", "last", "length", "sole")

    def __init__(
        self,
        clock: Iterable[int] = (),
        length: Iterable[int] = (),
        author: Iterable[int] = (),
        first: Iterable[int] = (),
        last: Iterable[int] = (),
    ) -> None:
        self.clock = array("q", clock)
        self.length = array("q", length)
        self.author = array("q", author)
        self.first = array("q", first)
        self.last = array("q", last)
        self.sole = -1
        """The one known author of all runs; -1 without any, -2 with several."""

    def insert(self, at: int, clock: int, length: int, author: int, first: int, last: int) -> None:
        """Puts a run before the one at ``at``."""
        self.clock.insert(at, clock)
        self.length.insert(at, length)
        self.author.insert(at, author)
        self.first.insert(at, first)
        self.last.insert(at, last)

    def joins(self, author: int, first: int, last: int) -> bool:
        """Whether what an author wrote then, right behind the last run, belongs to that run."""
        return (
            self.author[-1] == author
            and -GAP_SECONDS <= first - self.last[-1] <= GAP_SECONDS
            and first >= self.first[-1]
            and last - self.first[-1] <= SPAN_SECONDS
        )

    def covered(self, clock: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The runs that a range of clocks meets: index, and from where to where they meet."""
        index = max(bisect_right(self.clock, clock) - 1, 0)
        while index < len(self.clock) and self.clock[index] < end:
            start, stop = max(self.clock[index], clock), min(self.clock[index] + self.length[index], end)
            if stop > start:
                yield index, start, stop
            index += 1

    def cut_out(self, index: int, start: int, stop: int) -> None:
        """Takes a part out of a run."""
        clock, end = self.clock[index], self.clock[index] + self.length[index]
        author, first, last = self.author[index], self.first[index], self.last[index]
        for column in (self.clock, self.length, self.author, self.first, self.last):
            del column[index]
        if stop < end:
            self.insert(index, stop, end - stop, author, first, last)
        if clock < start:
            self.insert(index, clock, start - clock, author, first, last)
