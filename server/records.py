"""What a room hands to the store: log entries through the group commit, records one after the other.

Records (jobs, suggestions, ledgers) are small and rare. The newest value of each is kept until it is stored; a
store that refuses is tried again, as the writer does for entries.

Where several nodes share a room, another one may have to go on from any moment. There a record is stored after
the entries that came before it, but those that tell of what is to come (open hunks) are stored before that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from typing import Final

from collab.errors import StoreError, StoreFenced, StoreUnavailable
from collab.ids import RoomId
from collab.io.writer import Appender, Writer
from collab.ports import LogEntry, Store
from generation.book import OPEN

RETRY_SECONDS: Final = 1.0

logger = logging.getLogger(__name__)

_Key = tuple[RoomId, str, str]
_Value = tuple[bytes | None, int]
"""A record's value and the fence under which it is written."""


class Records:
    """The way of all rooms of this process to the store."""

    def __init__(self, store: Store, writer: Writer, *, ordered: bool = False) -> None:
        """``ordered`` holds records back until the entries before them are stored."""
        self._store = store
        self._ordered = ordered
        self._ahead: dict[_Key, _Value] = {}
        self._writer = writer
        self._pending: dict[_Key, _Value] = {}
        self._reads: list[dict[_Key, _Value]] = []
        """What each read under way finds newer than the store, and may be stored and gone when it ends."""
        self._turn = asyncio.Lock()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def write(self, room: RoomId, entry: LogEntry, *, urgent: bool = False) -> None:
        """Hands an entry to the group commit, which an urgent one does not wait for."""
        self._writer.write(room, entry, urgent=urgent)

    def put(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
        """Stores (or with None forgets) a record soon; values of one key never overtake each other."""
        pending = self._ahead if kind == OPEN and value is not None else self._pending
        # Put last, so that records are stored in the order of their last change.
        pending.pop((room, kind, key), None)
        pending[(room, kind, key)] = (value, fence)
        for newer in self._reads:
            newer[(room, kind, key)] = (value, fence)
        self._idle.clear()
        self._work.set()

    async def read(self, room: RoomId, kind: str, fence: int = 0) -> dict[str, bytes]:
        """All records of one kind, those included that are not stored yet and are of this fence."""
        newer = {**self._ahead, **self._pending}
        self._reads.append(newer)
        try:
            found = await self._store.records(room, kind)
        finally:
            self._reads = [one for one in self._reads if one is not newer]
        for (other, other_kind, key), (value, under) in newer.items():
            if other == room and other_kind == kind and under == fence:
                if value is None:
                    found.pop(key, None)
                else:
                    found[key] = value
        return found

    async def flush(self, room: RoomId, timeout: float = 10.0) -> None:
        """Returns when all that was handed over is stored; raises StoreUnavailable after ``timeout`` seconds."""
        await self._writer.flush(room, timeout=timeout)
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            waiting = len(self._pending) + len(self._ahead)
            raise StoreUnavailable(f"{waiting} records could not be stored in {timeout:g} s.") from None

    def forget(self, room: RoomId) -> None:
        """Drops what waits of a room that is being deleted."""
        self._writer.forget(room)
        for pending in (self._pending, self._ahead, *self._reads):
            for key in [key for key in pending if key[0] == room]:
                del pending[key]

    async def ahead(self, rooms: Collection[RoomId]) -> None:
        """Stores now what tells of entries of these rooms before they are stored. Raises StoreError."""
        for key in [key for key in self._ahead if key[0] in rooms]:
            await self._store_one(self._ahead, key)

    async def run(self) -> None:
        """Stores records until cancelled; ``close`` stores what is left then."""
        while True:
            await self._work.wait()
            await self._drain()

    async def _drain(self) -> None:
        while self._pending or self._ahead:
            try:
                if self._ahead:
                    await self._store_one(self._ahead, next(iter(self._ahead)))
                    continue
                key = next(iter(self._pending))
                if self._ordered:
                    await self._writer.flush(key[0])
                if not self._ahead:
                    await self._store_one(self._pending, key)
            except StoreError as error:
                logger.error("a record is not being saved: %s", error.message)
                await asyncio.sleep(RETRY_SECONDS)
        self._work.clear()
        self._idle.set()

    async def _store_one(self, pending: dict[_Key, _Value], key: _Key) -> None:
        # One at a time, so that values of one key never overtake each other.
        async with self._turn:
            value = pending.get(key)
            if value is None:
                return
            try:
                await self._store.put_record(*key, *value)
            except StoreFenced as error:
                logger.warning("a record was not saved: %s", error.message)
            # A newer value may have come meanwhile.
            if pending.get(key) is value:
                del pending[key]

    async def close(self) -> None:
        """Stores what has not been stored, once."""
        for key, value in [*self._ahead.items(), *self._pending.items()]:
            try:
                await self._store.put_record(*key, *value)
            except StoreError as error:
                logger.error("a record was not saved before the end: %s", error.message)


class RecordsFirst:
    """Where the writer appends: what tells of entries ahead is stored before them."""

    def __init__(self, log: Appender) -> None:
        self._log = log
        self.records: Records | None = None

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """See Store.append."""
        if self.records is not None:
            await self.records.ahead({room for room, _ in entries})
        await self._log.append(entries)
