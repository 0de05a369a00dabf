"""The inbox of the SQLite store: what is stored but not among its room's rows yet."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collab.errors import StoreCorrupt
from collab.ids import ConnectionId, PersonId, RoomId
from collab.io.sqlite import SqliteStore
from collab.io.sqlite_inbox import MOST_ROWS, SECONDS
from collab.io.sqlite_write import SqliteWriter
from collab.origin import PersonOrigin
from collab.ports import Checkpoint, LogEntry

ORIGIN = PersonOrigin(PersonId("ada"), ConnectionId("c1"))
ROOM = RoomId("r")


def entry(seq: int, update: bytes = b"u") -> LogEntry:
    return LogEntry(seq, 1000 + seq, ORIGIN, update)


class Clock:
    """Seconds that the test decides."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        found: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return found


async def make(path: Path) -> None:
    await (await SqliteStore.open(path)).close()


def writer(path: Path, clock: Clock) -> SqliteWriter:
    return SqliteWriter(path, sqlite3.connect(path, isolation_level=None), clock)


async def test_a_commit_writes_one_row_for_many_rooms(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    await make(path)
    store = writer(path, Clock())
    store.append([(RoomId(f"room-{n}"), entry(1)) for n in range(100)])
    assert (count(path, "inbox"), count(path, "entries")) == (1, 0)
    store.close()


async def test_entries_are_spread_after_some_seconds(tmp_path: Path) -> None:
    path, clock = tmp_path / "s.db", Clock()
    await make(path)
    store = writer(path, clock)
    store.append([(ROOM, entry(1))])
    clock.now = SECONDS
    store.append([(ROOM, entry(2))])
    assert (count(path, "inbox"), count(path, "entries")) == (0, 2)
    store.close()


async def test_entries_are_spread_when_there_are_many(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    await make(path)
    store = writer(path, Clock())
    store.append([(ROOM, entry(seq)) for seq in range(1, MOST_ROWS + 1)])
    store.append([(ROOM, entry(MOST_ROWS + 1))])
    assert (count(path, "inbox"), count(path, "entries")) == (0, MOST_ROWS + 1)
    store.close()


async def test_a_large_update_goes_to_its_room_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    await make(path)
    store = writer(path, Clock())
    store.append([(ROOM, entry(1, b"x" * 100_000))])
    assert (count(path, "inbox"), count(path, "entries")) == (0, 1)
    store.close()


async def test_a_room_loads_what_is_still_in_the_inbox(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "s.db")
    await store.append([(ROOM, entry(1)), (RoomId("other"), entry(1)), (ROOM, entry(2))])
    assert [found.seq for found in (await store.load(ROOM)).entries] == [1, 2]
    await store.close()


async def test_entries_of_a_killed_process_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    await make(path)
    killed = writer(path, Clock())
    killed.append([(ROOM, entry(1)), (ROOM, entry(2))])
    killed._connection.close()  # as a kill does: without the last spreading
    store = await SqliteStore.open(path)
    await store.append([(ROOM, entry(3))])
    assert [found.seq for found in (await store.load(ROOM)).entries] == [1, 2, 3]
    await store.close()


async def test_compaction_covers_what_is_still_in_the_inbox(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "s.db")
    await store.append([(ROOM, entry(seq)) for seq in range(1, 6)])
    await store.compact(ROOM, Checkpoint(4, b"state"))
    stored = await store.load(ROOM)
    assert stored.checkpoint == Checkpoint(4, b"state")
    assert [found.seq for found in stored.entries] == [5]
    await store.close()


async def test_a_deleted_room_does_not_come_back_from_the_inbox(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    store = await SqliteStore.open(path)
    await store.append([(ROOM, entry(1)), (RoomId("kept"), entry(1))])
    await store.delete(ROOM)
    await store.close()
    again = await SqliteStore.open(path)
    assert (await again.load(ROOM)).last_seq == 0
    assert (await again.load(RoomId("kept"))).last_seq == 1
    await again.close()


async def test_a_damaged_inbox_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    await make(path)
    store = writer(path, Clock())
    store.append([(ROOM, entry(1))])
    store._connection.execute("UPDATE inbox SET data = zeroblob(length(data))")
    store._connection.close()
    with pytest.raises(StoreCorrupt, match="inbox"):
        await SqliteStore.open(path)
