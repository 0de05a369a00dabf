"""The writing half of the SQLite store; runs in its writer thread."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final
from zlib import crc32

import msgpack

from collab.errors import StoreError, StoreUnavailable
from collab.ids import RoomId
from collab.io.sqlite_inbox import Inbox, Row
from collab.origin import Origin, is_plain, to_record
from collab.ports import Checkpoint, LogEntry

_LARGE: Final = 64 * 1024
"""A batch with more bytes of updates goes to its rooms at once."""
_CACHED_ROOMS: Final = 20_000


def entry_checksum(room_crc: int, seq: int, at_ms: int, origin: bytes, update: bytes) -> int:
    """The checksum of an entry; it covers room and place too, so that no row passes for another.

    ``room_crc`` is the checksum of the room's name.
    """
    return crc32(update, crc32(origin, (room_crc ^ seq ^ at_ms) & 0xFFFFFFFF))


def checkpoint_checksum(room_crc: int, seq: int, state: bytes, pending: bytes) -> int:
    """The checksum of a checkpoint."""
    return crc32(state, crc32(pending, (room_crc ^ seq) & 0xFFFFFFFF))


def attribution_checksum(room_crc: int, seq: int, data: bytes) -> int:
    """The checksum of the table of who wrote what that belongs to the checkpoint of entry ``seq``."""
    return crc32(data, (room_crc ^ seq) & 0xFFFFFFFF)


def pack_origin(origin: Origin) -> bytes:
    """The origin as it is stored."""
    packed: bytes = msgpack.packb(to_record(origin))
    return packed


class SqliteWriter:
    """Writes through one connection. Every method is one transaction: all of it is durable, or none."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path: Final = path
        self._connection: Final = connection
        self._inode: Final = path.stat().st_ino
        self._pack: Final = lru_cache(maxsize=256)(pack_origin)
        self._inbox: Final = Inbox(connection, path, clock)
        self._tails: Final[dict[RoomId, tuple[int, int, int]]] = {}

    def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """Stores entries; those that are stored already are passed over."""
        spread = self._inbox.due or len(self._tails) > _CACHED_ROOMS
        with self._transaction():
            tails: dict[RoomId, tuple[int, int, int]] = {}
            rows: list[Row] = []
            size = 0
            pack = self._pack
            for room, entry in entries:
                tail = tails.get(room) or self._tails.get(room) or self._make_room(room)
                key, last, room_crc = tail
                seq = entry.seq
                if seq > last:
                    if seq != last + 1:
                        raise StoreError(
                            f"Entry {seq} of room {room!r} cannot follow entry {last}: append in order, "
                            "without gaps."
                        )
                    at_ms, update = entry.at_ms, entry.update
                    origin = pack(entry.origin) if is_plain(entry.origin) else pack_origin(entry.origin)
                    crc = entry_checksum(room_crc, seq, at_ms, origin, update)
                    rows.append((key, seq, at_ms, origin, update, crc))
                    size += len(update)
                    tail = (key, seq, room_crc)
                tails[room] = tail
            # Large entries fill pages of their own anyway, and would only be written twice.
            spread = spread or size > _LARGE
            if spread:
                self._inbox.spread(rows)
            elif rows:
                self._inbox.put(rows)
        if spread:
            self._inbox.clear()
        else:
            self._inbox.keep(rows)
        if len(self._tails) > _CACHED_ROOMS:
            self._tails.clear()
        self._tails.update(tails)

    def unspread(self, room: RoomId) -> list[Row]:
        """Stored entries of a room that are not among its rows yet."""
        tail = self._tails.get(room) or self._find_room(room)
        return self._inbox.rows_of(tail[0]) if tail else []

    def spread(self) -> None:
        """Moves stored entries to their rooms."""
        with self._transaction():
            self._inbox.spread()
        self._inbox.clear()

    def compact(self, room: RoomId, checkpoint: Checkpoint) -> None:
        """Puts a checkpoint in place of the entries that it covers; an older one changes nothing."""
        with self._spreading():
            found = self._find_room(room)
            if found is None or checkpoint.seq > found[1]:
                raise StoreError(
                    f"The checkpoint of room {room!r} covers entry {checkpoint.seq}, but only "
                    f"{found[1] if found else 0} are stored. Make it from what the store loads."
                )
            key = found[0]
            row = self._connection.execute(
                "SELECT seq, changed_ms FROM checkpoints WHERE room = ?", (key,)
            ).fetchone()
            if row is not None and row[0] > checkpoint.seq:
                return
            (changed,) = self._connection.execute(
                "SELECT max(at_ms) FROM entries WHERE room = ? AND seq <= ?", (key, checkpoint.seq)
            ).fetchone()
            changed = max(changed or 0, row[1] if row is not None else 0)
            pending: bytes = msgpack.packb(checkpoint.pending)
            crc = checkpoint_checksum(found[2], checkpoint.seq, checkpoint.state, pending)
            self._connection.execute(
                "REPLACE INTO checkpoints (room, seq, changed_ms, state, pending, crc) VALUES (?,?,?,?,?,?)",
                (key, checkpoint.seq, changed, checkpoint.state, pending, crc),
            )
            data = checkpoint.attribution
            self._connection.execute(
                "REPLACE INTO attributions (room, seq, data, crc) VALUES (?,?,?,?)",
                (key, checkpoint.seq, data, attribution_checksum(found[2], checkpoint.seq, data)),
            )
            self._connection.execute("DELETE FROM entries WHERE room = ? AND seq <= ?", (key, checkpoint.seq))

    def delete(self, room: RoomId) -> None:
        """Forgets all of a room."""
        with self._spreading():
            self._connection.execute("DELETE FROM rooms WHERE name = ?", (room,))
        self._tails.pop(room, None)

    def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None) -> None:
        """Stores or forgets a record."""
        with self._transaction():
            if value is None:
                self._connection.execute(
                    "DELETE FROM records WHERE room = (SELECT id FROM rooms WHERE name = ?) "
                    "AND kind = ? AND key = ?",
                    (room, kind, key),
                )
                return
            self._connection.execute(
                "REPLACE INTO records (room, kind, key, value, crc) VALUES (?,?,?,?,?)",
                (self._key_of(room), kind, key, value, crc32(value)),
            )

    def close(self) -> None:
        """Closes the connection; the log is moved into the database."""
        try:
            self.spread()
        finally:
            self._connection.close()

    def _find_room(self, room: RoomId) -> tuple[int, int, int] | None:
        """The room's key, its last entry's number and its name's checksum, or None."""
        found: tuple[int, int] | None = self._connection.execute(
            "SELECT id, max(coalesce((SELECT max(seq) FROM entries WHERE room = id), 0), "
            "coalesce((SELECT seq FROM checkpoints WHERE room = id), 0)) FROM rooms WHERE name = ?",
            (room,),
        ).fetchone()
        if found is None:
            return None
        key, last = found
        return key, max(last, self._inbox.last_of(key)), crc32(room.encode())

    def _key_of(self, room: RoomId) -> int:
        # The number of its last entry, which a record has no need of, takes longer to find than it takes to store.
        known = self._tails.get(room)
        return (known if known is not None else self._make_room(room))[0]

    def _make_room(self, room: RoomId) -> tuple[int, int, int]:
        found = self._find_room(room)
        if found is not None:
            return found
        key = self._connection.execute("INSERT INTO rooms (name) VALUES (?)", (room,)).lastrowid
        if key is None:
            raise StoreError(f"The store {self._path} gave no key for room {room!r}.")
        return key, 0, crc32(room.encode())

    @contextmanager
    def _spreading(self) -> Iterator[None]:
        """A transaction for what works on a room's rows: it moves all entries there first."""
        with self._transaction():
            self._inbox.spread()
            yield
        self._inbox.clear()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._check_place()
        connection = self._connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            try:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            except sqlite3.Error:
                # What matters is the first error; the next transaction rolls back again.
                pass
            raise

    def _check_place(self) -> None:
        """Commits into a file that somebody deleted or replaced would be lost without a word."""
        try:
            if self._path.stat().st_ino == self._inode:
                return
        except FileNotFoundError:
            pass
        raise StoreUnavailable(
            f"The store {self._path} was deleted or replaced while in use. Put the file back, or restart the "
            "server while its clients stay open: they bring what they have."
        )
