"""Where each character of a text stands, by its Yjs id, the deleted ones included."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.merge.items import State
from collab.wire import IdRange, read_delete_set

Id = tuple[ClientId, int]
"""Client and clock of one UTF-16 unit."""


class Spot(NamedTuple):
    """A unit's place in the list of all units, deleted ones included, and whether it is in the text."""

    at: int
    alive: bool


class Order:
    """The units of one text in their order. Checks that those alive are the text that pycrdt shows."""

    def __init__(self, state: State, document: Document, file: FileId) -> None:
        self.runs = state.runs(file)
        self._spans: dict[ClientId, list[tuple[int, int, int, bool]]] = {}
        self._starts: list[int] = []
        self._units: list[bytes] = []
        at = 0
        for run in self.runs:
            ids = run.ids
            self._spans.setdefault(ids.client, []).append((ids.clock, ids.length, at, run.alive))
            self._starts.append(at)
            at += ids.length
        self.length = at
        for spans in self._spans.values():
            spans.sort()
        text = b"".join(run.units for run in self.runs).decode("utf-16-le")
        assert text == document.text(file), "the order of the items is not the order of the text"

    def spot(self, unit: Id) -> Spot | None:
        """Where a unit stands; None if it is not in this text."""
        spans = self._spans.get(unit[0])
        if not spans:
            return None
        clock, length, at, alive = spans[bisect_right(spans, unit[1], key=lambda span: span[0]) - 1]
        return Spot(at + unit[1] - clock, alive) if clock <= unit[1] < clock + length else None

    def standing(self, ids: IdRange) -> Iterator[tuple[int, int, int]]:
        """The parts of a range that are in the text, by clock: first clock, length, where the first stands."""
        for clock, length, at, alive in self._overlapping(ids):
            if alive:
                start, end = max(clock, ids.clock), min(clock + length, ids.clock + ids.length)
                yield start, end - start, at + start - clock

    def places(self, ids: IdRange) -> Iterator[tuple[int, int]]:
        """Where the units of a range stand, in pieces: the first and the last spot of each."""
        for clock, length, at, _ in self._overlapping(ids):
            start, end = max(clock, ids.clock), min(clock + length, ids.clock + ids.length)
            yield at + start - clock, at + end - 1 - clock

    def between(self, first: int, last: int) -> Iterator[IdRange]:
        """What is in the text between two spots, both not included, as ranges cut to them."""
        index = max(bisect_right(self._starts, first) - 1, 0)
        while index < len(self.runs) and self._starts[index] < last:
            run, at = self.runs[index], self._starts[index]
            start, end = max(at, first + 1), min(at + run.ids.length, last)
            if run.alive and start < end:
                yield IdRange(run.ids.client, run.ids.clock + start - at, end - start)
            index += 1

    def unit(self, at: int) -> str:
        """The UTF-16 unit at a spot as text; empty if it was deleted."""
        index = bisect_right(self._starts, at) - 1
        offset = (at - self._starts[index]) * 2
        return self.runs[index].units[offset : offset + 2].decode("utf-16-le", "replace")

    def neighbour(self, at: int, step: int) -> str:
        """The next unit of the text before (-1) or behind (1) a spot; empty at the text's ends."""
        index = bisect_right(self._starts, at) - 1
        run = self.runs[index]
        beside = at + step
        if run.alive and self._starts[index] <= beside < self._starts[index] + run.ids.length:
            return self.unit(beside)
        index += step
        while 0 <= index < len(self.runs):
            run = self.runs[index]
            if run.alive:
                return self.unit(self._starts[index] + (run.ids.length - 1 if step < 0 else 0))
            index += step
        return ""

    def visible_ids(self) -> list[tuple[int, IdRange]]:
        """The ids of the text as it is shown, each range with its offset in UTF-16 units."""
        found = []
        at = 0
        for run in self.runs:
            if run.alive:
                found.append((at, run.ids))
                at += run.ids.length
        return found

    def _overlapping(self, ids: IdRange) -> Iterator[tuple[int, int, int, bool]]:
        spans = self._spans.get(ids.client, [])
        index = max(bisect_right(spans, ids.clock, key=lambda span: span[0]) - 1, 0)
        while index < len(spans) and spans[index][0] < ids.clock + ids.length:
            if spans[index][0] + spans[index][1] > ids.clock:
                yield spans[index]
            index += 1


def orders(document: Document, files: Iterable[FileId]) -> dict[FileId, Order]:
    """The order of each of these files that is in the document."""
    state = State(document)
    here = document.listing().files
    return {file: Order(state, document, file) for file in files if file in here}


def deleted_by(document: Document, update: bytes) -> list[IdRange]:
    """The ids that an update deletes, once ``document`` has applied it."""
    # What is left of the update without the edits that the document has is its delete set alone.
    rest = document.lacks(update)
    assert rest[:1] == b"\0", "the update was not applied to this document"
    return read_delete_set(rest, 1)[0]
