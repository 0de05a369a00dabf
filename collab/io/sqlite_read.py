"""The reading half of the SQLite store; runs in its reader thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar
from zlib import crc32

import msgpack

from collab.errors import StoreCorrupt
from collab.ids import RoomId
from collab.io.sqlite_inbox import Row
from collab.io.sqlite_write import attribution_checksum, checkpoint_checksum, entry_checksum
from collab.origin import Origin, from_record
from collab.ports import Checkpoint, LogEntry, RoomSummary, StoredRoom

_ONE_STEP_BYTES: Final = 32 * 1024 * 1024
_AT_ONCE: Final = 32
"""Rows between two pauses."""

T = TypeVar("T")
_Row = tuple[int, int, int, bytes, bytes]


class SqliteReader:
    """Reads through one connection; each method sees one moment of the store."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, pause: Callable[[], None] | None = None
    ) -> None:
        """``pause`` is called after every few rows: who reads much in Python keeps other threads from it."""
        self._path: Final = path
        self._connection: Final = connection
        self._pause: Final = pause

    def load(self, room: RoomId, unspread: list[Row]) -> StoredRoom:
        """What is stored of the room, with the entries that were not among its rows a moment ago.

        Raises StoreCorrupt for a wrong checksum or a gap.
        """
        with self._snapshot():
            found = self._connection.execute("SELECT id FROM rooms WHERE name = ?", (room,)).fetchone()
            if found is None:
                return StoredRoom(None, ())
            key: int = found[0]
            checkpoint = self._checkpoint(room, key)
            rows = self._rows(key)
        last = rows[-1][0] if rows else checkpoint.seq if checkpoint else 0
        rows += [(seq, at, crc, origin, data) for _, seq, at, origin, data, crc in unspread if seq > last]
        return StoredRoom(checkpoint, self._entries(room, checkpoint.seq if checkpoint else 0, rows))

    def rooms(self) -> list[RoomSummary]:
        """All rooms, by name."""
        rows = self._connection.execute(
            "SELECT name, coalesce(e.bytes, 0) + coalesce(length(c.state) + length(c.pending), 0)"
            " + coalesce(length(a.data), 0)"
            " + coalesce(r.bytes, 0), coalesce(e.count, 0),"
            " max(coalesce(e.at_ms, 0), coalesce(c.changed_ms, 0)), coalesce(c.changed_ms, 0)"
            " FROM rooms"
            " LEFT JOIN (SELECT room, sum(length(data)) AS bytes, count(*) AS count, max(at_ms) AS at_ms"
            "   FROM entries GROUP BY room) AS e ON e.room = rooms.id"
            " LEFT JOIN checkpoints AS c ON c.room = rooms.id"
            " LEFT JOIN attributions AS a ON a.room = rooms.id"
            " LEFT JOIN (SELECT room, sum(length(value)) AS bytes FROM records GROUP BY room) AS r"
            "   ON r.room = rooms.id"
            " ORDER BY name"
        )
        return [RoomSummary(RoomId(name), *rest) for name, *rest in rows.fetchall()]

    def records(self, room: RoomId, kind: str) -> dict[str, bytes]:
        """All records of a kind. Raises StoreCorrupt for a wrong checksum."""
        rows = self._connection.execute(
            "SELECT key, value, crc FROM records"
            " WHERE room = (SELECT id FROM rooms WHERE name = ?) AND kind = ? ORDER BY key",
            (room, kind),
        ).fetchall()
        for key, value, crc in rows:
            if crc32(value) != crc:
                raise self._damaged(room, f"the record {kind} {key!r} does not match its checksum")
        return {key: value for key, value, _ in rows}

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _checkpoint(self, room: RoomId, key: int) -> Checkpoint | None:
        row = self._connection.execute(
            "SELECT seq, state, pending, crc FROM checkpoints WHERE room = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        seq, state, pending, crc = row
        if checkpoint_checksum(crc32(room.encode()), seq, state, pending) != crc:
            raise self._damaged(room, f"the checkpoint of entry {seq} does not match its checksum")
        return Checkpoint(seq, state, tuple(msgpack.unpackb(pending)), self._attribution(room, key, seq))

    def _attribution(self, room: RoomId, key: int, seq: int) -> bytes:
        row = self._connection.execute("SELECT seq, data, crc FROM attributions WHERE room = ?", (key,)).fetchone()
        if row is None:
            # The checkpoint was stored by a version that did not know who wrote what.
            return b""
        of, data, crc = row
        if of != seq or attribution_checksum(crc32(room.encode()), seq, data) != crc:
            raise self._damaged(
                room, f"who wrote what in the checkpoint of entry {seq} does not match its checksum"
            )
        return bytes(data)

    def _rows(self, key: int) -> list[_Row]:
        """The entries as (seq, at_ms, crc, origin, update), in order.

        One step of SQLite where memory permits: Python's lock changes hands at every step, and a busy
        event loop then delays each row by up to 5 ms.
        """
        (size,) = self._connection.execute(
            "SELECT sum(length(data)) FROM entries WHERE room = ?", (key,)
        ).fetchone()
        if size is None:
            return []
        if size > _ONE_STEP_BYTES:
            return self._connection.execute(
                "SELECT seq, at_ms, crc, origin, data FROM entries WHERE room = ? ORDER BY seq", (key,)
            ).fetchall()
        (text,) = self._connection.execute(
            "SELECT group_concat("
            "seq || ' ' || at_ms || ' ' || crc || ' ' || hex(origin) || ' ' || hex(data), ';')"
            " FROM (SELECT * FROM entries WHERE room = ? ORDER BY seq)",
            (key,),
        ).fetchone()
        rows: list[_Row] = []
        for row in self._paced(text.split(";")):
            seq, at_ms, crc, origin, update = row.split(" ")
            rows.append((int(seq), int(at_ms), int(crc), bytes.fromhex(origin), bytes.fromhex(update)))
        # The order in which group_concat meets the rows is not promised.
        rows.sort(key=lambda row: row[0])
        return rows

    def _entries(self, room: RoomId, last: int, rows: list[_Row]) -> tuple[LogEntry, ...]:
        origins: dict[bytes, Origin] = {}
        entries: list[LogEntry] = []
        room_crc = crc32(room.encode())
        for seq, at_ms, crc, packed, update in self._paced(rows):
            if seq != last + 1:
                raise self._damaged(room, f"entry {last + 1} is missing before entry {seq}")
            if entry_checksum(room_crc, seq, at_ms, packed, update) != crc:
                raise self._damaged(room, f"entry {seq} does not match its checksum")
            origin = origins.get(packed)
            if origin is None:
                origin = origins[packed] = from_record(msgpack.unpackb(packed))
            entries.append(LogEntry(seq, at_ms, origin, update))
            last = seq
        return tuple(entries)

    def _paced(self, rows: Sequence[T]) -> Iterable[T]:
        if self._pause is None:
            return rows
        return self._with_pauses(rows, self._pause)

    def _with_pauses(self, rows: Sequence[T], pause: Callable[[], None]) -> Iterator[T]:
        for start in range(0, len(rows), _AT_ONCE):
            if start:
                pause()
            yield from rows[start : start + _AT_ONCE]

    def _damaged(self, room: RoomId, what: str) -> StoreCorrupt:
        return StoreCorrupt(
            f"Room {room!r} in the store {self._path} is damaged: {what}. Nothing was changed, and the other "
            "rooms are not touched by it. Restore a backup, or delete the room."
        )

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
