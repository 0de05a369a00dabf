"""Who wrote what: a side table from the ids of a document's edits to their authors.

The document itself tells under which client id a character was written, and nothing else. The table keeps, for
each client id, runs of clocks with an author and a time; where they stand in a text is looked up when somebody
asks (``collab.blame``). It is made from the room's log, entry by entry, in any order and any number of times,
and lives on in checkpoints (``collab.attribution_codec``).

Text that an undo puts back stands under new ids. It is noted as a copy of what it was, and so stays its author's.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from collab.attribution_rows import Rows
from collab.ids import ClientId
from collab.wire import IdRange

Kind = Literal["person", "job", "undo", "import", "change", "unknown"]

_DEEPEST: Final = 64
"""How often text can have been put back: copies of copies are followed this far."""


@dataclass(frozen=True, slots=True)
class Author:
    """Whose text it is. ``id`` is that of the person, job, undone job or change.

    ``by`` is the person who asked for it, where that is somebody else. Of the kind ``unknown``, ``id`` is the
    person who brought the edit along, without having written it.
    """

    kind: Kind
    id: str
    by: str = ""

    @property
    def person(self) -> str:
        """The id of the person who wrote it or asked for it; empty where nobody knows."""
        if self.kind == "unknown":
            return ""
        return self.by or self.id


NOBODY: Final = Author("unknown", "")
"""The author of what nothing is known of."""


class Written(NamedTuple):
    """Consecutive ids of one author. Times in milliseconds since 1970, to the second; 0 where unknown."""

    length: int
    author: Author
    first_ms: int = 0
    last_ms: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """What an author has written in some time: UTF-16 units, also those that were deleted since."""

    author: Author
    at_ms_first: int
    at_ms_last: int
    inserted: int


@dataclass(frozen=True, slots=True)
class Copied:
    """``length`` ids from ``clock`` that are a copy of those of another client from ``of_clock``."""

    clock: int
    length: int
    of_client: ClientId
    of_clock: int


class Attribution:
    """The table of one room."""

    __slots__ = ("_authors", "_copies", "_numbers", "_rows")

    def __init__(self) -> None:
        self._authors: list[Author] = []
        self._numbers: dict[Author, int] = {}
        self._rows: dict[ClientId, Rows] = {}
        self._copies: dict[ClientId, list[Copied]] = {}

    # Writing

    def add(self, ids: IdRange, author: Author, at_ms: int) -> None:
        """Notes who wrote these ids, and when. What is known of some of them already stays."""
        second = at_ms // 1000
        self.put(ids.client, ids.clock, ids.length, author, second, second)

    def put(self, client: ClientId, clock: int, length: int, author: Author, first: int, last: int) -> None:
        """As ``add``, for a run that was written from ``first`` to ``last`` (seconds since 1970)."""
        if length <= 0:
            return
        number = self._number(author)
        rows = self._rows.get(client)
        if rows is None:
            rows = self._rows[client] = Rows()
        if rows.clock:
            end = rows.clock[-1] + rows.length[-1]
            if clock == end and rows.joins(number, first, last):
                rows.length[-1] += length
                if last > rows.last[-1]:
                    rows.last[-1] = last
                return
            if clock < end:
                self._fill(rows, clock, clock + length, number, first, last)
                return
        self._meet(rows, number)
        rows.insert(len(rows.clock), clock, length, number, first, last)

    def load(self, client: ClientId, rows: Rows, authors: Sequence[Author]) -> None:
        """Takes all runs of a client id that the table has none of; their authors are numbers in ``authors``."""
        numbers = [self._number(author) for author in authors]
        rows.author = array("q", [numbers[number] for number in rows.author])
        for number in set(rows.author):
            self._meet(rows, number)
        self._rows[client] = rows

    def copy(self, ids: IdRange, of: Iterable[IdRange]) -> None:
        """Notes that text under ``ids`` is a copy of that under ``of``, in this order."""
        at, end = ids.clock, ids.clock + ids.length
        copies = self._copies.setdefault(ids.client, [])
        for part in of:
            length = min(part.length, end - at)
            if length > 0:
                index = bisect_right(copies, at, key=_clock)
                free = index == 0 or copies[index - 1].clock + copies[index - 1].length <= at
                if free and (index == len(copies) or copies[index].clock >= at + length):
                    copies.insert(index, Copied(at, length, part.client, part.clock))
            at += length
        if not copies:
            del self._copies[ids.client]

    def merge(self, other: Attribution) -> None:
        """Adds what another table of the same room knows."""
        for client, clock, length, author, first, last in other.rows():
            self.put(client, clock, length, author, first, last)
        for client, copied in other.copies():
            self.copy(
                IdRange(client, copied.clock, copied.length),
                [IdRange(copied.of_client, copied.of_clock, copied.length)],
            )

    # Reading

    def __bool__(self) -> bool:
        return bool(self._rows or self._copies)

    def __len__(self) -> int:
        """How many runs it has."""
        return sum(len(rows.clock) for rows in self._rows.values())

    def __eq__(self, other: object) -> bool:
        """Whether it says the same, run by run."""
        if not isinstance(other, Attribution):
            return NotImplemented
        return (
            sorted(self.rows(), key=_place) == sorted(other.rows(), key=_place) and self._copies == other._copies
        )

    __hash__ = None  # type: ignore[assignment]

    def authors(self) -> tuple[Author, ...]:
        """Everybody who has written something."""
        return tuple(self._authors)

    def rows(self) -> Iterator[tuple[ClientId, int, int, Author, int, int]]:
        """Every run: client, clock, length, author, and its first and last second."""
        for client, rows in self._rows.items():
            for clock, length, author, first, last in zip(
                rows.clock, rows.length, rows.author, rows.first, rows.last, strict=True
            ):
                yield client, clock, length, self._authors[author], first, last

    def copies(self) -> Iterator[tuple[ClientId, Copied]]:
        """Every copy, with the client id under which it stands."""
        for client, copies in self._copies.items():
            for copied in copies:
                yield client, copied

    def written(self, client: ClientId, clock: int, length: int) -> list[Written]:
        """Who wrote these ids, in their order; together they are ``length`` long."""
        rows = self._rows.get(client)
        if rows is not None and client not in self._copies:
            # Most of what is asked is one run, or a part of one.
            index = bisect_right(rows.clock, clock) - 1
            if index >= 0 and clock + length <= rows.clock[index] + rows.length[index]:
                author = self._authors[rows.author[index]]
                if author.kind != "unknown":
                    return [Written(length, author, rows.first[index] * 1000, rows.last[index] * 1000)]
        return self._resolved(client, clock, length, _DEEPEST)

    def inserted(self, client: ClientId, clock: int, length: int) -> list[Written]:
        """As ``written``, without what is a copy of older text."""
        if client not in self._copies:
            return self._plain(client, clock, length)
        parts = self._split(client, clock, length)
        return [
            one for part, copied in parts if not copied for one in self._plain(client, part.clock, part.length)
        ]

    def since(self, at_ms: int) -> list[Activity]:
        """What each author has inserted at or after a time, by first time.

        Whole runs count, which last at most a minute, and the whole second of that time. What an undo put back is
        not counted.
        """
        from_second = at_ms // 1000
        found: dict[Author, Activity] = {}
        for client, clock, length, author, first, last in self.rows():
            if last < from_second:
                continue
            if author.kind == "unknown" and (owner := self._owner(self._rows[client])) is not None:
                author = owner
            if client in self._copies:
                length -= sum(part.length for part, copied in self._split(client, clock, length) if copied)
            if length > 0:
                found[author] = joined_activity(
                    found.get(author), Activity(author, max(first, from_second) * 1000, last * 1000, length)
                )
        return sorted(found.values(), key=lambda one: (one.at_ms_first, one.author.kind, one.author.id))

    def only(self, ranges: Iterable[IdRange]) -> Attribution:
        """The part of the table that is about these ids."""
        part = Attribution()
        for ids in ranges:
            rows = self._rows.get(ids.client)
            if rows is not None:
                for index, start, end in rows.covered(ids.clock, ids.clock + ids.length):
                    author = self._authors[rows.author[index]]
                    part.put(ids.client, start, end - start, author, rows.first[index], rows.last[index])
            for span, copied in self._split(ids.client, ids.clock, ids.length):
                if copied is not None:
                    of = IdRange(copied.of_client, copied.of_clock + span.clock - copied.clock, span.length)
                    part.copy(span, [of])
        return part

    # Inside

    def _number(self, author: Author) -> int:
        number = self._numbers.get(author)
        if number is None:
            number = self._numbers[author] = len(self._authors)
            self._authors.append(author)
        return number

    def _meet(self, rows: Rows, number: int) -> None:
        if rows.sole != number and self._authors[number].kind != "unknown":
            rows.sole = number if rows.sole == -1 else -2

    def _owner(self, rows: Rows) -> Author | None:
        """The only one who is known to have written under a client id."""
        return self._authors[rows.sole] if rows.sole >= 0 else None

    def _fill(self, rows: Rows, clock: int, end: int, number: int, first: int, last: int) -> None:
        """Notes the author of what of the range has none. Somebody known takes the place of nobody known."""
        known = self._authors[number].kind != "unknown"
        gaps: list[tuple[int, int]] = []
        taken: list[tuple[int, int, int]] = []
        at = clock
        for index, start, stop in rows.covered(clock, end):
            if start > at:
                gaps.append((at, start))
            if known and self._authors[rows.author[index]].kind == "unknown":
                taken.append((index, start, stop))
                gaps.append((start, stop))
            at = stop
        if at < end:
            gaps.append((at, end))
        for index, start, stop in reversed(taken):
            rows.cut_out(index, start, stop)
        for start, stop in gaps:
            self._meet(rows, number)
            rows.insert(bisect_right(rows.clock, start), start, stop - start, number, first, last)

    def _split(self, client: ClientId, clock: int, length: int) -> list[tuple[IdRange, Copied | None]]:
        """The range cut into parts that are copies and parts that are none, in order."""
        copies = self._copies.get(client)
        if not copies:
            return [(IdRange(client, clock, length), None)]
        parts: list[tuple[IdRange, Copied | None]] = []
        at, end = clock, clock + length
        index = max(bisect_right(copies, at, key=_clock) - 1, 0)
        while at < end and index < len(copies):
            copied = copies[index]
            stop = min(copied.clock + copied.length, end)
            if copied.clock >= end:
                break
            if stop > at:
                if copied.clock > at:
                    parts.append((IdRange(client, at, copied.clock - at), None))
                    at = copied.clock
                parts.append((IdRange(client, at, stop - at), copied))
                at = stop
            index += 1
        if at < end:
            parts.append((IdRange(client, at, end - at), None))
        return parts

    def _resolved(self, client: ClientId, clock: int, length: int, depth: int) -> list[Written]:
        if client not in self._copies:
            return self._plain(client, clock, length)
        found: list[Written] = []
        for part, copied in self._split(client, clock, length):
            if copied is None or depth == 0:
                found += self._plain(client, part.clock, part.length)
                continue
            at, of_clock = part.clock, copied.of_clock + part.clock - copied.clock
            for one in self._resolved(copied.of_client, of_clock, part.length, depth - 1):
                # Whoever put it back is better than nobody.
                found += [one] if one.author.kind != "unknown" else self._plain(client, at, one.length)
                at += one.length
        return found

    def _plain(self, client: ClientId, clock: int, length: int) -> list[Written]:
        rows = self._rows.get(client)
        if rows is None:
            return [Written(length, NOBODY)]
        # A client id belongs to the person who introduced it, whoever has brought an edit along.
        owner = self._owner(rows)
        found: list[Written] = []
        at, end = clock, clock + length
        for index, start, stop in rows.covered(clock, end):
            if start > at:
                found.append(Written(start - at, owner or NOBODY))
            author = self._authors[rows.author[index]]
            if author.kind == "unknown" and owner is not None:
                author = owner
            found.append(Written(stop - start, author, rows.first[index] * 1000, rows.last[index] * 1000))
            at = stop
        if at < end:
            found.append(Written(end - at, owner or NOBODY))
        return found


def joined_activity(one: Activity | None, other: Activity) -> Activity:
    """What an author has written, from two parts of it."""
    if one is None:
        return other
    return Activity(
        one.author,
        min(one.at_ms_first, other.at_ms_first),
        max(one.at_ms_last, other.at_ms_last),
        one.inserted + other.inserted,
    )


def _clock(copied: Copied) -> int:
    return copied.clock


def _place(row: tuple[ClientId, int, int, Author, int, int]) -> tuple[int, int]:
    return row[0], row[1]
