"""Where a commit puts its entries first: one row, however many rooms they are of.

Entries lie in the order of their rooms, so a commit for a hundred rooms would write a hundred pages, each of
4 KiB, for a few bytes each. A commit writes one row here instead; every few seconds the rows are spread over
the rooms in one go. What is here is durable, and is part of what a room loads. Runs in the writer thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zlib import crc32

import msgpack

from collab.errors import StoreCorrupt

Row = tuple[int, int, int, bytes, bytes, int]
"""An entry as it is stored: room key, seq, at_ms, origin, data, checksum."""

_ROW: Final = "(?,?,?,?,?,?)"
_ROWS: Final = 64
MOST_ROWS: Final = 4_000
MOST_BYTES: Final = 4 * 1024 * 1024
SECONDS: Final = 5.0


class Inbox:
    """The entries that are stored but not spread yet. ``clock`` gives seconds that never go back."""

    def __init__(self, connection: sqlite3.Connection, path: Path, clock: Callable[[], float]) -> None:
        self._connection: Final = connection
        self._clock: Final = clock
        self._rows: list[Row] = []
        self._bytes = 0
        self._since = clock()
        # One statement for many rows: between the rows of executemany Python's lock changes hands, and a
        # busy event loop then delays each row by up to 5 ms (94 ms for 24 rows, against 18 ms).
        self._insert: Final = [
            # Nothing but question marks is put in.
            "INSERT OR IGNORE INTO entries (room, seq, at_ms, origin, data, crc) VALUES "  # noqa: S608
            + ",".join([_ROW] * rows)
            for rows in range(_ROWS + 1)
        ]
        for number, data, crc in connection.execute("SELECT id, data, crc FROM inbox ORDER BY id").fetchall():
            if crc32(data) != crc:
                raise StoreCorrupt(
                    f"The store {path} is damaged: row {number} of its inbox does not match its checksum. It "
                    "was left as it is. Restore a backup, or recover what is left with "
                    f"`sqlite3 {path.name} .recover`."
                )
            self._rows += [tuple(row) for row in msgpack.unpackb(data)]

    @property
    def due(self) -> bool:
        """Whether it is time to spread what is here."""
        if not self._rows:
            return False
        return len(self._rows) >= MOST_ROWS or self._bytes >= MOST_BYTES or self._clock() - self._since >= SECONDS

    def rows_of(self, room: int) -> list[Row]:
        """The entries of one room that are not spread yet."""
        return [row for row in self._rows if row[0] == room]

    def last_of(self, room: int) -> int:
        """The number of a room's last entry here; 0 if there is none."""
        return max((row[1] for row in self._rows if row[0] == room), default=0)

    def put(self, rows: list[Row]) -> None:
        """Writes entries as one row; inside the caller's transaction. ``keep`` follows once it has committed."""
        data: bytes = msgpack.packb(rows)
        self._connection.execute("INSERT INTO inbox (data, crc) VALUES (?,?)", (data, crc32(data)))

    def keep(self, rows: list[Row]) -> None:
        """The transaction of ``put`` has committed."""
        if not self._rows:
            self._since = self._clock()
        self._rows += rows
        self._bytes += sum(len(row[3]) + len(row[4]) for row in rows)

    def spread(self, extra: list[Row] | None = None) -> None:
        """Moves everything to its room, with ``extra`` entries; inside the caller's transaction.

        ``clear`` follows once it has committed.
        """
        rows = sorted(self._rows + (extra or []), key=lambda row: row[:2])
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            values = [value for row in part for value in row]
            self._connection.execute(self._insert[len(part)], values)
        if self._rows:
            self._connection.execute("DELETE FROM inbox")

    def clear(self) -> None:
        """The transaction of ``spread`` has committed."""
        self._rows = []
        self._bytes = 0
