"""The SQLite store when the disk refuses, and when the process is killed."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from collab.errors import StoreCorrupt, StoreError, StoreUnavailable
from collab.ids import RoomId
from collab.io.sqlite import SqliteStore
from collab.io.sqlite_file import translate
from collab.origin import RestoreOrigin
from collab.ports import Checkpoint, LogEntry

ROOM = RoomId("room")


def batch(first: int, count: int, size: int = 100) -> list[tuple[RoomId, LogEntry]]:
    return [(ROOM, LogEntry(seq, seq, RestoreOrigin(), b"u" * size)) for seq in range(first, first + count)]


class Seen(sqlite3.Connection):
    """A connection that tests can reach: the last three opened are the writing one and two that read."""

    opened: ClassVar[list[Seen]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fails_at: tuple[str, ...] = ()
        Seen.opened.append(self)

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if sql.startswith(self.fails_at):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(sql, *args)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "rooms.sqlite", connection_class=Seen)
    yield store
    await store.close()
    Seen.opened.clear()


@pytest.fixture
def writing(store: SqliteStore) -> Seen:
    return Seen.opened[-3]


async def test_a_full_disk_is_told_and_later_appends_work_again(store: SqliteStore, writing: Seen) -> None:
    await store.append(batch(1, 10))
    (pages,) = writing.execute("PRAGMA page_count").fetchone()
    writing.execute(f"PRAGMA max_page_count = {pages + 2}")
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match=r"The disk is full: .*rooms\.sqlite"):
            await store.append(batch(11, 400))
    assert (await store.load(ROOM)).last_seq == 10
    await store.append(batch(11, 1, 10))
    writing.execute("PRAGMA max_page_count = 1000000")
    await store.append(batch(11, 400))
    assert (await store.load(ROOM)).last_seq == 410


async def test_a_full_disk_leaves_the_log_in_place_of_a_checkpoint(store: SqliteStore, writing: Seen) -> None:
    await store.append(batch(1, 10))
    (pages,) = writing.execute("PRAGMA page_count").fetchone()
    writing.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="The disk is full"):
        await store.compact(ROOM, Checkpoint(10, b"s" * 50_000))
    with pytest.raises(StoreUnavailable, match="The disk is full"):
        await store.put_record(ROOM, "job", "j1", b"v" * 50_000)
    loaded = await store.load(ROOM)
    assert (loaded.checkpoint, loaded.last_seq) == (None, 10)
    assert await store.records(ROOM, "job") == {}


async def test_a_read_only_store_is_told_and_later_appends_work_again(store: SqliteStore, writing: Seen) -> None:
    writing.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable, match="is read-only"):
        await store.append(batch(1, 1))
    writing.execute("PRAGMA query_only = OFF")
    await store.append(batch(1, 1))
    assert (await store.load(ROOM)).last_seq == 1


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT INTO rooms", "INSERT INTO inbox", "COMMIT"])
async def test_a_failure_at_any_statement_stores_nothing(
    store: SqliteStore, writing: Seen, statement: str
) -> None:
    writing.fails_at = (statement,)
    with pytest.raises(StoreUnavailable, match="cannot be read or written"):
        await store.append(batch(1, 100))
    writing.fails_at = ()
    assert (await store.load(ROOM)).last_seq == 0
    assert await store.rooms() == []
    await store.append(batch(1, 100))
    assert (await store.load(ROOM)).last_seq == 100


async def test_a_failed_rollback_is_made_up_for(store: SqliteStore, writing: Seen) -> None:
    await store.append(batch(1, 1))
    writing.fails_at = ("COMMIT", "ROLLBACK")
    with pytest.raises(StoreUnavailable):
        await store.append(batch(2, 1))
    assert writing.in_transaction
    writing.fails_at = ()
    await store.append(batch(2, 2))
    assert (await store.load(ROOM)).last_seq == 3


async def test_a_deleted_file_is_told_instead_of_written_into_the_void(store: SqliteStore) -> None:
    await store.append(batch(1, 1))
    away = store.path.with_name("away")
    store.path.rename(away)
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await store.append(batch(2, 1))
    store.path.write_bytes(b"another file")
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await store.append(batch(2, 1))
    away.rename(store.path)
    await store.append(batch(2, 1))
    assert (await store.load(ROOM)).last_seq == 2


async def test_another_program_that_holds_the_file_is_told(store: SqliteStore, writing: Seen) -> None:
    writing.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked by another program"):
        await store.append(batch(1, 1))
    other.execute("ROLLBACK")
    other.close()
    await store.append(batch(1, 1))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, StoreUnavailable),
        (sqlite3.SQLITE_IOERR | 3 << 8, StoreUnavailable),
        (sqlite3.SQLITE_CORRUPT | 1 << 8, StoreCorrupt),
        (sqlite3.SQLITE_NOTADB, StoreCorrupt),
        (sqlite3.SQLITE_MISUSE, StoreError),
    ],
)
def test_errors_of_sqlite_get_words(code: int, kind: type[StoreError]) -> None:
    error = sqlite3.DatabaseError("what SQLite says")
    error.sqlite_errorcode = code
    said = translate(error, Path("/data/rooms.sqlite"))
    assert type(said) is kind
    assert "/data/rooms.sqlite" in said.message


LIMITED = """
import asyncio, resource, sys
from collab.errors import StoreUnavailable
from collab.ids import RoomId
from collab.io.sqlite import SqliteStore
from collab.origin import RestoreOrigin
from collab.ports import LogEntry

async def main():
    store = await SqliteStore.open(sys.argv[1])
    room, seq, failed, hard = RoomId("room"), 0, 0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
    while failed < 3 and seq < 1000:
        try:
            await store.append([(room, LogEntry(seq + 1, 1, RestoreOrigin(), b"u" * 10000))])
            seq += 1
        except StoreUnavailable as error:
            failed += 1
            print(error, flush=True)
    assert (await store.load(room)).last_seq == seq, "a failed append is visible"
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await store.append([(room, LogEntry(seq + 1, 1, RestoreOrigin(), b"u" * 10000))])
    await store.close()
    print(seq + 1, flush=True)

asyncio.run(main())
"""


def test_a_file_that_may_not_grow_is_told_and_goes_on_when_it_may(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "rooms.sqlite"), "300000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    *told, stored = done.stdout.splitlines()
    assert len(told) == 3
    assert all("cannot be read or written" in line or "The disk is full" in line for line in told)
    assert 2 < int(stored) < 31


WRITING = """
import asyncio, itertools, sys
from collab.ids import RoomId
from collab.io.sqlite import SqliteStore
from collab.origin import RestoreOrigin
from collab.ports import Checkpoint, LogEntry

async def main():
    store = await SqliteStore.open(sys.argv[1])
    room = RoomId("room")
    seq = (await store.load(room)).last_seq
    for turn in itertools.count():
        numbers = range(seq + 1, seq + turn % 30 + 2)
        new = [(room, LogEntry(n, 1, RestoreOrigin(), b"%d" % n)) for n in numbers]
        await store.append(new)
        seq = new[-1][1].seq
        print(seq, flush=True)
        if turn % 50 == 49:
            await store.compact(room, Checkpoint(seq - 10, b"state"))

asyncio.run(main())
"""


def run_until_killed(command: list[str], lines: int) -> list[bytes]:
    """Kills the command in the middle of its work, after so many lines; all that it has said."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        return said + process.stdout.readlines()


async def test_everything_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    last = 0
    for lines in (1, 40, 170, 333):
        said = run_until_killed([sys.executable, "-c", WRITING, str(path)], lines)
        store = await SqliteStore.open(path)
        loaded = await store.load(ROOM)
        await store.close()
        assert loaded.last_seq >= int(said[-1]) > last
        assert all(one.update == b"%d" % one.seq for one in loaded.entries)
        last = loaded.last_seq
