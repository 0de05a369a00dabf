"""The embedded store's file, read beside the server that may have it open. Nothing is written to it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from collab.ids import RoomId
from collab.io.sqlite_file import prepare, translate
from collab.io.sqlite_inbox import Inbox
from collab.io.sqlite_read import SqliteReader
from collab.ports import RoomSummary, StoredRoom

T = TypeVar("T")


class _Reader(SqliteReader):
    """As the server's own reader, with the entries that the server has not moved to their rooms yet."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path, connection)
        # Read first: what is moved in between is found among the room's own entries.
        self._inbox: Final = Inbox(connection, path, time.monotonic)
        self._keys: Final[dict[str, int]] = dict(connection.execute("SELECT name, id FROM rooms").fetchall())

    def whole(self, room: RoomId) -> StoredRoom:
        """All that is stored of a room."""
        key = self._keys.get(room)
        return self.load(room, self._inbox.rows_of(key) if key is not None else [])


class EmbeddedFile:
    """Reads one store; each call sees one moment of it. Methods raise StoreError and its kinds."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path

    @property
    def exists(self) -> bool:
        """Whether there is a store."""
        return self.path.exists()

    def owner(self) -> str | None:
        """What the process that has the store open says of itself, such as ``pid 12``; None if none has it."""
        try:
            lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDONLY)
        except OSError:
            return None
        try:
            # Shared and given back at once; only a server that starts in this very instant could meet it.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.read(lock, 32).decode("ascii", "replace").strip() or "a process that does not say which"
        finally:
            os.close(lock)
        return None

    async def check(self) -> None:
        """Reads the file's structure. Raises StoreCorrupt, StoreError."""
        await asyncio.to_thread(prepare, self.path)

    async def rooms(self) -> list[RoomSummary]:
        """See Store.rooms; entries of the last seconds may not be counted."""
        return await self._read(_Reader.rooms)

    async def load(self, room: RoomId) -> StoredRoom:
        """See Store.load."""
        return await self._read(partial(_Reader.whole, room=room))

    async def records(self, room: RoomId, kind: str) -> dict[str, bytes]:
        """See Store.records."""
        return await self._read(partial(_Reader.records, room=room, kind=kind))

    async def _read(self, work: Callable[[_Reader], T]) -> T:
        def run() -> T:
            with self._opened() as reader:
                return work(reader)

        return await asyncio.to_thread(run)

    @contextmanager
    def _opened(self) -> Iterator[_Reader]:
        try:
            # Not even the log is moved into the file when a connection like this one is closed.
            connection = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, isolation_level=None)
            try:
                connection.execute("PRAGMA busy_timeout = 5000")
                yield _Reader(self.path, connection)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise translate(error, self.path) from error
