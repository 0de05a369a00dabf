"""The embedded store: rooms in one SQLite file, written by one thread and read by two others."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from collab.errors import StoreError, StoreUnavailable
from collab.ids import RoomId
from collab.io.sqlite_file import FileLock, connect, prepare, translate
from collab.io.sqlite_read import SqliteReader
from collab.io.sqlite_thread import SqliteThread
from collab.io.sqlite_write import SqliteWriter
from collab.ports import Checkpoint, LogEntry, RoomSummary, StoredRoom

PAUSE_SECONDS: Final = 0.002
"""A reader that nobody waits for rests so long, each time that it has worked for a fraction of a millisecond."""

_Opened = tuple[Path, FileLock, SqliteWriter, SqliteReader, SqliteReader]


class SqliteStore:
    """Implements ``collab.ports.Store``. Made with ``await SqliteStore.open(path)``.

    A commit has been synced to the disk when ``append``, ``compact``, ``delete`` or ``put_record`` return.
    The event loop never waits for the disk. One process at a time owns a store.
    """

    def __init__(
        self, path: Path, lock: FileLock, writer: SqliteWriter, reader: SqliteReader, aside: SqliteReader
    ) -> None:
        """Takes over what ``open`` has opened. ``aside`` reads what nobody waits for."""
        self.path: Final = path
        self._lock: Final = lock
        self._writer: Final = writer
        self._reader: Final = reader
        self._aside: Final = aside
        self._writes: Final = SqliteThread("store-writer", path)
        self._reads: Final = SqliteThread("store-reader", path)
        self._asides: Final = SqliteThread("store-aside", path)
        self._closed = False

    @classmethod
    async def open(
        cls, path: Path | str, *, connection_class: type[sqlite3.Connection] = sqlite3.Connection
    ) -> SqliteStore:
        """Opens the store, creating its directory and file (for this user only) when missing.

        ``connection_class`` is a seam for tests that need a failing disk.

        Raises StoreBusy when another process owns it, StoreCorrupt when it is damaged (it is then left as it
        is), StoreError when the file is something else or too new, StoreUnavailable when the disk refuses.
        """
        opened = asyncio.ensure_future(asyncio.to_thread(_open, Path(path), connection_class))
        try:
            return cls(*await asyncio.shield(opened))
        except asyncio.CancelledError:
            opened.add_done_callback(_drop)
            raise

    async def load(self, room: RoomId, *, aside: bool = False) -> StoredRoom:
        """See Store.load. Raises StoreCorrupt for a wrong checksum or a missing entry."""
        # In this order: what is spread in between is found among the rows.
        unspread = await self._writes.submit(partial(self._writer.unspread, room))
        thread, reader = (self._asides, self._aside) if aside else (self._reads, self._reader)
        return await thread.submit(partial(reader.load, room, unspread))

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """See Store.append. Raises StoreError for an entry that would leave a gap."""
        if entries:
            await self._writes.submit(partial(self._writer.append, entries))

    async def compact(self, room: RoomId, checkpoint: Checkpoint) -> None:
        """See Store.compact. A checkpoint older than the stored one changes nothing.

        Raises StoreError for a checkpoint that covers entries which are not stored.
        """
        await self._writes.submit(partial(self._writer.compact, room, checkpoint))

    async def rooms(self) -> list[RoomSummary]:
        """See Store.rooms. Reads the whole log; meant for lists that people ask for."""
        # A disk that takes nothing more can still be read; the sizes then lack the last seconds.
        with suppress(StoreUnavailable):
            await self._writes.submit(self._writer.spread)
        return await self._reads.submit(self._reader.rooms)

    async def delete(self, room: RoomId) -> None:
        """See Store.delete."""
        await self._writes.submit(partial(self._writer.delete, room))

    async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
        """See Store.put_record."""
        await self._writes.submit(partial(self._writer.put_record, room, kind, key, value))

    async def records(self, room: RoomId, kind: str) -> dict[str, bytes]:
        """See Store.records. Raises StoreCorrupt for a wrong checksum."""
        return await self._reads.submit(partial(self._reader.records, room, kind))

    async def close(self) -> None:
        """See Store.close. Closing twice is no error."""
        if self._closed:
            return
        self._closed = True
        try:
            await asyncio.gather(
                self._asides.close(self._aside.close),
                self._reads.close(self._reader.close),
            )
            await self._writes.close(self._writer.close)
        finally:
            self._lock.release()


def _open(path: Path, connection_class: type[sqlite3.Connection]) -> _Opened:
    path = path.expanduser().absolute()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(path.with_name(path.name + ".lock"))
        try:
            return path, lock, *_connect(path, connection_class)
        except BaseException:
            lock.release()
            raise
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except FileExistsError as error:
        raise StoreError(f"{path.parent} is no directory. Give another path for the store.") from error
    except OSError as error:
        raise StoreUnavailable(
            f"The store {path} cannot be opened: {error.strerror or error}. Check the path, the permissions "
            "and the free space."
        ) from error


def _connect(
    path: Path, connection_class: type[sqlite3.Connection]
) -> tuple[SqliteWriter, SqliteReader, SqliteReader]:
    prepare(path)
    writing = connect(path, connection_class, read_only=False)
    try:
        # A file or a disk that cannot be written is told at the start, not at the first edit.
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("ROLLBACK")
        path.chmod(0o600)
        reading, aside = (connect(path, connection_class, read_only=True) for _ in range(2))
        return SqliteWriter(path, writing), SqliteReader(path, reading), SqliteReader(path, aside, _pause)
    except BaseException:
        writing.close()
        raise


def _pause() -> None:
    """Leaves the interpreter to the event loop for a while."""
    time.sleep(PAUSE_SECONDS)


def _drop(opened: asyncio.Future[_Opened]) -> None:
    """Closes what was opened for a caller that has been cancelled meanwhile."""
    if opened.cancelled() or opened.exception() is not None:
        return
    _, lock, writer, reader, aside = opened.result()
    aside.close()
    reader.close()
    writer.close()
    lock.release()
