"""Keeps vectors in a file of their own: what is lost with it is only paid for once more."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")
MOST: Final = 200_000
"""Vectors that are kept; those that were put in first go first."""
_ASKED: Final = 500

logger = logging.getLogger(__name__)


class VectorFile:
    """Implements generation.embedding.VectorStore in an SQLite file. Where that is no use, nothing is kept."""

    def __init__(self, path: Path, most: int = MOST) -> None:
        self._path = path
        self._most = most
        self._connection: sqlite3.Connection | None = None
        self._broken = False
        self._lock = asyncio.Lock()

    async def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """See VectorStore.get."""
        return await self._run(lambda connection: _get(connection, keys), {})

    async def put(self, vectors: Mapping[str, bytes]) -> None:
        """See VectorStore.put."""
        await self._run(lambda connection: _put(connection, vectors, self._most), None)

    async def close(self) -> None:
        """See VectorStore.close."""
        async with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                await asyncio.to_thread(connection.close)

    async def _run(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        async with self._lock:
            if self._broken:
                return otherwise
            try:
                return await asyncio.to_thread(self._work, work)
            except (sqlite3.Error, OSError) as error:
                self._broken = True
                logger.warning("vectors are not kept in %s from now on: %s", self._path, error)
                return otherwise

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, check_same_thread=False, timeout=5)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, value BLOB NOT NULL)")
            self._connection = connection
        with self._connection:
            return work(self._connection)


def _get(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for start in range(0, len(keys), _ASKED):
        some = list(keys[start : start + _ASKED])
        places = ", ".join("?" * len(some))
        rows = connection.execute(f"SELECT key, value FROM vectors WHERE key IN ({places})", some)  # noqa: S608
        found.update(rows.fetchall())
    return found


def _put(connection: sqlite3.Connection, vectors: Mapping[str, bytes], most: int) -> None:
    connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", list(vectors.items()))
    [(count,)] = connection.execute("SELECT count(*) FROM vectors")
    if count > most:
        connection.execute(
            "DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors ORDER BY rowid LIMIT ?)", [count - most]
        )
