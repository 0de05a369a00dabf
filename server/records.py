"""What a room hands to the store: log entries through the group commit, records one after the other.

Records (jobs, suggestions, ledgers) are small and rare. The newest value of each is kept until it is stored; a
store that refuses is tried again, as the writer does for entries.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from collab.errors import StoreError, StoreUnavailable
from collab.ids import RoomId
from collab.io.writer import Writer
from collab.ports import LogEntry, Store

RETRY_SECONDS: Final = 1.0

logger = logging.getLogger(__name__)

_Key = tuple[RoomId, str, str]


class Records:
    """The way of all rooms of this process to the store."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer
        self._pending: dict[_Key, bytes | None] = {}
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def write(self, room: RoomId, entry: LogEntry) -> None:
        """Hands an entry to the group commit."""
        self._writer.write(room, entry)

    def put(self, room: RoomId, kind: str, key: str, value: bytes | None) -> None:
        """Stores (or with None forgets) a record soon; values of one key never overtake each other."""
        # Put last, so that records are stored in the order of their last change.
        self._pending.pop((room, kind, key), None)
        self._pending[(room, kind, key)] = value
        self._idle.clear()
        self._work.set()

    async def read(self, room: RoomId, kind: str) -> dict[str, bytes]:
        """All records of one kind, those that are not stored yet included."""
        found = await self._store.records(room, kind)
        for (other, other_kind, key), value in self._pending.items():
            if other == room and other_kind == kind:
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
            raise StoreUnavailable(f"{len(self._pending)} records could not be stored in {timeout:g} s.") from None

    def forget(self, room: RoomId) -> None:
        """Drops what waits of a room that is being deleted."""
        self._writer.forget(room)
        for key in [key for key in self._pending if key[0] == room]:
            del self._pending[key]

    async def run(self) -> None:
        """Stores records until cancelled; ``close`` stores what is left then."""
        while True:
            await self._work.wait()
            await self._drain()

    async def _drain(self) -> None:
        while self._pending:
            key, value = next(iter(self._pending.items()))
            try:
                await self._store.put_record(*key, value)
            except StoreError as error:
                logger.error("a record is not being saved: %s", error.message)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            # A newer value may have come meanwhile.
            if key in self._pending and self._pending[key] is value:
                del self._pending[key]
        self._work.clear()
        self._idle.set()

    async def close(self) -> None:
        """Stores what has not been stored, once."""
        for key, value in list(self._pending.items()):
            try:
                await self._store.put_record(*key, value)
            except StoreError as error:
                logger.error("a record was not saved before the end: %s", error.message)
