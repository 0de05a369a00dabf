"""Whose edits a room's log holds: what each entry adds to the table of who wrote what."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeGuard

from collab.attribution import Activity, Attribution, Author
from collab.attribution_codec import decode, encode
from collab.attribution_rows import GAP_SECONDS, SPAN_SECONDS
from collab.errors import MalformedMessage, StoreCorrupt
from collab.ids import ClientId
from collab.merge.structs import read_structs
from collab.origin import (
    ChangeOrigin,
    ImportOrigin,
    JobOrigin,
    NodeOrigin,
    Origin,
    PersonOrigin,
    RestoreOrigin,
    UndoOrigin,
)
from collab.ports import LogEntry, StoredRoom
from collab.wire import IdRange

_UINT: Final = rb"[\x80-\xff]{0,7}[\x00-\x7f]"
_typed: Final = re.compile(
    rb"\x01\x01(%b)(%b)(?:[\x84\x44](?:%b){2}|\xc4(?:%b){4})(%b)" % ((_UINT,) * 5), re.DOTALL
).match
"""The head of an update that is one text of one client, which names a neighbour: what people type, and jobs."""
TOGETHER: Final = 64
"""Entries that are looked into at once: a quarter of a millisecond or so."""

PER_TICK: Final = 500


def credit(table: Attribution, entries: Iterable[LogEntry]) -> None:
    """Notes in the table who wrote what entries of the log bring. Any order, and twice does no harm.

    What cannot be read is passed over: the document has judged the edit, and whose it is then nobody can tell.
    """
    typing: dict[bytes, _Typing] = {}
    for entry in entries:
        origin, at_ms = entry.origin, entry.at_ms
        if _wrote_alone(origin) and (found := _typed(entry.update)):
            client, clock, size = found.groups()
            # A long text is for those who decode it.
            if len(size) == 1 and entry.update[found.end() : found.end() + size[0]].isascii():
                start = _uint(clock)
                run = typing.get(client)
                if (
                    run is not None
                    and (run.origin is origin or run.origin == origin)
                    and run.end == start
                    and 0 <= at_ms - run.last_ms <= GAP_SECONDS * 1000
                    and at_ms - run.first_ms < SPAN_SECONDS * 1000
                ):
                    run.end += size[0]
                    run.last_ms = at_ms
                    continue
                if run is not None:
                    _put(table, client, run)
                typing[client] = _Typing(origin, start, start + size[0], at_ms, at_ms)
                continue
        if typing:
            for client, run in typing.items():
                _put(table, client, run)
            typing.clear()
        _credit(table, entry)
    for client, run in typing.items():
        _put(table, client, run)


def _wrote_alone(origin: Origin) -> TypeGuard[PersonOrigin | JobOrigin]:
    """Whether all text of an entry is its author's own."""
    if isinstance(origin, PersonOrigin):
        return not origin.relayed
    return isinstance(origin, JobOrigin) and not origin.copies


@dataclass(slots=True)
class _Typing:
    """What somebody types, or a job writes, one update after the other: clocks from ``start`` up to ``end``."""

    origin: PersonOrigin | JobOrigin
    start: int
    end: int
    first_ms: int
    last_ms: int


def _put(table: Attribution, client: bytes, run: _Typing) -> None:
    author = _author(run.origin)
    if author is not None:
        first, last = run.first_ms // 1000, run.last_ms // 1000
        table.put(ClientId(_uint(client)), run.start, run.end - run.start, author, first, last)


def _credit(table: Attribution, entry: LogEntry) -> None:
    origin = entry.origin
    if isinstance(origin, RestoreOrigin):
        _merge(table, origin.attribution)
        return
    author = _author(origin)
    if author is None:
        return
    try:
        ranges = written(entry.update)
    except MalformedMessage:
        return
    relayed = origin.relayed if isinstance(origin, PersonOrigin) else ()
    for ids in ranges:
        if relayed and ids.client in relayed:
            table.add(ids, Author("unknown", author.id), entry.at_ms)
        else:
            table.add(ids, author, entry.at_ms)
    if isinstance(origin, JobOrigin | UndoOrigin | ChangeOrigin) and origin.copies:
        _merge(table, origin.copies)


def _merge(table: Attribution, more: bytes) -> None:
    # A newer version may have written it in a form of its own, in a cluster that is being updated.
    with suppress(StoreCorrupt):
        table.merge(decode(more))


def written(update: bytes) -> list[IdRange]:
    """The ids of all edits in an update, one range per client and hole. Raises MalformedMessage."""
    ranges: list[IdRange] = []
    for client_id, structs in read_structs(update)[0].items():
        start = end = -1
        for struct in structs:
            if struct.clock != end:
                if end > start:
                    ranges.append(IdRange(client_id, start, end - start))
                start = struct.clock
            end = struct.clock + struct.length
        if end > start:
            ranges.append(IdRange(client_id, start, end - start))
    return ranges


def _uint(encoded: bytes) -> int:
    value = shift = 0
    for byte in encoded:
        value |= (byte & 0x7F) << shift
        shift += 7
    return value


def credited(attribution: bytes, entries: Iterable[LogEntry]) -> Attribution:
    """The table of a checkpoint and of the entries after it. Raises StoreCorrupt."""
    table = decode(attribution)
    credit(table, entries)
    return table


class Authorship:
    """The table of a room that is open. It costs next to nothing until somebody asks.

    Entries are looked into a few at a time, so that neither an edit nor the memory pays for all of them.
    """

    __slots__ = ("_stored", "_table", "_waiting")

    def __init__(self) -> None:
        self._stored = b""
        self._table = Attribution()
        self._waiting: deque[LogEntry] = deque()

    def load(self, stored: StoredRoom) -> None:
        """What the store has of the room."""
        if stored.checkpoint is not None:
            self._stored = stored.checkpoint.attribution
        self._waiting.extend(stored.entries)

    @property
    def waiting(self) -> int:
        """How many entries nobody has looked into yet."""
        return len(self._waiting)

    def add(self, entry: LogEntry) -> None:
        """One more entry of the log. The hot path."""
        waiting = self._waiting
        waiting.append(entry)
        if len(waiting) >= TOGETHER:
            self.digest(2 * TOGETHER)

    def digest(self, most: int) -> None:
        """Looks into up to ``most`` entries that wait for it."""
        waiting = self._waiting
        credit(self._table, [waiting.popleft() for _ in range(min(most, len(waiting)))])

    def tick(self) -> None:
        """Once a second or so: looks into some of the entries that wait."""
        self.digest(PER_TICK)

    def table(self) -> Attribution:
        """Who wrote what, up to now. Raises StoreCorrupt when what was stored of it cannot be read."""
        self.digest(len(self._waiting))
        if self._stored:
            table = decode(self._stored)
            table.merge(self._table)
            self._table, self._stored = table, b""
        return self._table

    def encoded(self) -> bytes:
        """The table as an origin carries it."""
        return encode(self._known())

    def of(self, updates: Iterable[bytes]) -> bytes:
        """The part of the table that is about what these updates bring, as an origin carries it."""
        ranges: list[IdRange] = []
        for update in updates:
            with suppress(MalformedMessage):
                ranges += written(update)
        return encode(self._known().only(ranges))

    def _known(self) -> Attribution:
        # Edits that are to be stored must not wait for a table that cannot be read.
        with suppress(StoreCorrupt):
            return self.table()
        return self._table

    def since(self, at_ms: int) -> list[Activity]:
        """See Attribution.since."""
        return self.table().since(at_ms)


def _author(origin: Origin) -> Author | None:
    match origin:
        case PersonOrigin(person=person):
            return Author("person", person)
        case JobOrigin(job=job, asked_by=person):
            return Author("job", job, person)
        case UndoOrigin(job=job, person=person):
            return Author("undo", job, person)
        case ImportOrigin(person=person):
            return Author("import", person)
        case ChangeOrigin(change=change, person=person):
            return Author("change", change, person)
        case NodeOrigin() | RestoreOrigin():
            return None
