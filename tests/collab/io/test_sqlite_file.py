"""The file of the SQLite store: creation, ownership, damage."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from pathlib import Path

import pytest

from collab.errors import StoreBusy, StoreCorrupt, StoreError, StoreUnavailable
from collab.ids import RoomId
from collab.io.sqlite import PAUSE_SECONDS, SqliteStore
from collab.io.sqlite_file import APPLICATION_ID, SCHEMA_VERSION
from collab.origin import RestoreOrigin
from collab.ports import Checkpoint, LogEntry

ROOM = RoomId("room")
OTHER = RoomId("other")


def entries(count: int, room: RoomId = ROOM, size: int = 20) -> list[tuple[RoomId, LogEntry]]:
    return [(room, LogEntry(seq, seq, RestoreOrigin(), b"%06d" % seq * size)) for seq in range(1, count + 1)]


async def make(path: Path, count: int = 300) -> None:
    store = await SqliteStore.open(path)
    await store.append([*entries(count), *entries(2, OTHER)])
    await store.close()


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(sql)


def content(path: Path) -> tuple[bytes, bytes]:
    log = path.with_name(path.name + "-wal")
    return path.read_bytes(), log.read_bytes() if log.exists() else b""


async def refused(path: Path, error: type[StoreError], match: str) -> None:
    """Opening raises the error, and neither the file nor its log is changed by the attempt."""
    before = content(path)
    with pytest.raises(error, match=match) as caught:
        await SqliteStore.open(path)
    assert str(path) in caught.value.message
    assert content(path) == before


async def test_a_missing_store_is_created_for_its_user_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "rooms.sqlite"
    store = await SqliteStore.open(path)
    await store.append(entries(1))
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    await store.close()
    assert set(modes) == {"rooms.sqlite", "rooms.sqlite-wal", "rooms.sqlite-shm", "rooms.sqlite.lock"}
    assert set(modes.values()) == {0o600}


async def test_the_file_says_what_it_is_and_how_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path)
    with closing(sqlite3.connect(path)) as database:
        facts = [database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        assert facts == [APPLICATION_ID, SCHEMA_VERSION]
        assert database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


async def test_a_creation_that_was_cut_off_is_started_anew(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    path.with_name("rooms.sqlite.new").write_bytes(b"half a database")
    await make(path)
    assert not path.with_name("rooms.sqlite.new").exists()


async def test_a_typed_character_takes_well_under_100_bytes(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    store = await SqliteStore.open(path)
    typing = [
        (ROOM, LogEntry(seq, 1_700_000_000_000 + seq * 100, RestoreOrigin(), b"u" * 24)) for seq in range(1, 5001)
    ]
    await store.append(typing)
    await store.close()
    assert path.stat().st_size / 5000 < 80


async def test_two_owners_in_one_process_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    store = await SqliteStore.open(path)
    with pytest.raises(StoreBusy, match="in use by another process"):
        await SqliteStore.open(path)
    await store.append(entries(1))
    await store.close()
    again = await SqliteStore.open(path)
    await again.close()


async def test_a_second_process_is_locked_out_until_the_first_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    script = (
        "import asyncio, sys\n"
        "from collab.io.sqlite import SqliteStore\n"
        "async def main():\n"
        "    await SqliteStore.open(sys.argv[1])\n"
        "    print('open', flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(path), stdout=PIPE)
    try:
        assert owner.stdout is not None
        assert await owner.stdout.readline() == b"open\n"
        with pytest.raises(StoreBusy, match=rf"{path} is in use by another process \(pid {owner.pid}\)"):
            await SqliteStore.open(path)
    finally:
        owner.kill()
        await owner.wait()
    store = await SqliteStore.open(path)
    await store.close()


async def opens(path: Path) -> bool:
    try:
        store = await SqliteStore.open(path)
    except StoreBusy:
        return False
    await store.close()
    return True


async def test_a_cancelled_opening_leaves_the_store_free(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    opening = asyncio.create_task(SqliteStore.open(path))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with asyncio.timeout(10):
        while not await opens(path):  # noqa: ASYNC110  (a thread, not a task, frees it)
            await asyncio.sleep(0.01)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    path.write_bytes(b"my shopping list\n" * 500)
    await refused(path, StoreCorrupt, "does not begin like an SQLite database.*left untouched")


async def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    change(path, "CREATE TABLE shopping (what TEXT)")
    await refused(path, StoreError, "not of this program")


async def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path)
    change(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    await refused(path, StoreError, f"has format {SCHEMA_VERSION + 1}.*newer version")


async def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a file"):
        await SqliteStore.open(tmp_path)


async def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="is no directory"):
        await SqliteStore.open(tmp_path / "file" / "rooms.sqlite")


async def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    # /proc takes no files, whoever asks.
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await SqliteStore.open("/proc/rooms.sqlite")


@pytest.mark.parametrize("left", [0, 1, 99, 100, 4096, 4100, 20_000])
async def test_a_truncated_file_is_refused(tmp_path: Path, left: int) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path)
    os.truncate(path, left)
    await refused(path, StoreCorrupt, "recover")


@pytest.mark.parametrize("offset", [0, 16, 18, 100, 103, 105])
async def test_a_flipped_header_is_refused(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path)
    flip(path, offset)
    await refused(path, StoreError, "untouched")


async def test_pages_full_of_zeros_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(path.stat().st_size - 4096))
    await refused(path, StoreCorrupt, "damaged.*recover")


async def test_a_damaged_file_whose_log_was_not_yet_moved_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path)
    copy = tmp_path / "copy.sqlite"
    store = await SqliteStore.open(path)
    await store.append(entries(3, RoomId("in the log")))
    copy.write_bytes(path.read_bytes())
    copy.with_name("copy.sqlite-wal").write_bytes(path.with_name("rooms.sqlite-wal").read_bytes())
    await store.close()
    os.truncate(copy, 20_000)
    await refused(copy, StoreCorrupt, "damaged")


async def test_a_log_without_its_database_is_not_mixed_into_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    path.with_name("rooms.sqlite-wal").write_bytes(b"the log of a lost database")
    with pytest.raises(StoreCorrupt, match="the database file is missing"):
        await SqliteStore.open(path)
    assert not path.exists()


async def test_a_flipped_byte_of_an_entry_names_room_and_entry(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path)
    content = path.read_bytes()
    flip(path, content.index(b"000123" * 20))
    store = await SqliteStore.open(path)
    with pytest.raises(StoreCorrupt, match=r"Room 'room' .*entry 123 does not match its checksum"):
        await store.load(ROOM)
    assert (await store.load(OTHER)).last_seq == 2
    await store.close()


async def test_a_flipped_byte_of_who_wrote_what_is_found(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    store = await SqliteStore.open(path)
    await store.append(entries(3))
    await store.compact(ROOM, Checkpoint(3, b"state", (), b"who wrote what in the room"))
    await store.close()
    flip(path, path.read_bytes().index(b"who wrote"))
    store = await SqliteStore.open(path)
    with pytest.raises(StoreCorrupt, match="who wrote what in the checkpoint of entry 3"):
        await store.load(ROOM)
    await store.close()


async def old_store(path: Path) -> None:
    """A store as the first format has it, with a checkpoint and entries after it."""
    store = await SqliteStore.open(path)
    await store.append(entries(5))
    await store.compact(ROOM, Checkpoint(3, b"state"))
    await store.close()
    change(path, "DROP TABLE attributions")
    change(path, "PRAGMA user_version = 1")


async def test_a_store_of_the_first_format_is_brought_to_this_one(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await old_store(path)
    for _ in range(2):
        store = await SqliteStore.open(path)
        stored = await store.load(ROOM)
        assert (stored.checkpoint, stored.last_seq) == (Checkpoint(3, b"state"), 5)
        await store.close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    store = await SqliteStore.open(path)
    await store.compact(ROOM, Checkpoint(4, b"state", (), b"who wrote what"))
    assert (await store.load(ROOM)).checkpoint == Checkpoint(4, b"state", (), b"who wrote what")
    await store.close()


async def test_an_upgrade_that_stands_in_the_log_alone_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await old_store(path)
    copy = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(path)) as reader:
        # Somebody who reads keeps the log from being moved into the file.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM rooms").fetchone()
        store = await SqliteStore.open(path)
        for suffix in ("", "-wal"):
            copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
        await store.close()
    assert copy.read_bytes()[60:64] == b"\x00\x00\x00\x01"
    store = await SqliteStore.open(copy)
    assert (await store.load(ROOM)).last_seq == 5
    await store.close()


async def test_a_damaged_store_of_the_first_format_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await old_store(path)
    change(path, "CREATE TABLE more (x)")
    await refused(path, StoreCorrupt, "its tables are not defined")


async def test_a_flipped_byte_of_a_checkpoint_or_record_is_found(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    store = await SqliteStore.open(path)
    await store.append(entries(3))
    await store.compact(ROOM, Checkpoint(3, b"the state of the room"))
    await store.put_record(ROOM, "job", "j1", b"the value of the record")
    await store.close()
    for value in (b"the state", b"the value"):
        flip(path, path.read_bytes().index(value))
    store = await SqliteStore.open(path)
    with pytest.raises(StoreCorrupt, match="the checkpoint of entry 3"):
        await store.load(ROOM)
    with pytest.raises(StoreCorrupt, match="the record job 'j1'"):
        await store.records(ROOM, "job")
    await store.close()


async def test_who_reads_what_nobody_waits_for_leaves_the_interpreter_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path, 300)
    rests: list[float] = []
    monkeypatch.setattr("collab.io.sqlite.time.sleep", rests.append)
    store = await SqliteStore.open(path)
    whole = await store.load(ROOM)
    assert not rests
    assert await store.load(ROOM, aside=True) == whole
    # 300 rows are split up, and then become entries, 32 at a time.
    assert rests == [PAUSE_SECONDS] * 18
    await store.close()


@pytest.mark.parametrize(
    ("sql", "match"),
    [
        ("DELETE FROM entries WHERE seq = 7", "entry 7 is missing before entry 8"),
        ("DELETE FROM entries WHERE seq < 4", "entry 1 is missing before entry 4"),
        ("UPDATE entries SET at_ms = 5 WHERE seq = 4", "entry 4 does not match"),
    ],
)
async def test_rows_that_are_missing_or_changed_are_found(tmp_path: Path, sql: str, match: str) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path, 10)
    change(path, sql)
    store = await SqliteStore.open(path)
    with pytest.raises(StoreCorrupt, match=match):
        await store.load(ROOM)
    await store.close()


async def test_a_log_is_not_taken_for_another_rooms(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path, 10)
    change(path, "UPDATE rooms SET id = 9 WHERE name = 'room'")
    change(path, "UPDATE rooms SET id = 1 WHERE name = 'other'")
    store = await SqliteStore.open(path)
    with pytest.raises(StoreCorrupt, match=r"Room 'other' .*entry 1 does not match"):
        await store.load(OTHER)
    await store.close()


async def test_a_table_of_rooms_that_lost_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    store = await SqliteStore.open(path)
    await store.append([(RoomId("abcdefgh-room"), one) for _, one in entries(1)])
    await store.close()
    flip(path, path.read_bytes().index(b"abcdefgh-room"))
    await refused(path, StoreCorrupt, "damaged")


async def test_random_damage_is_told_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "rooms.sqlite"
    await make(path, 120)
    sound = path.read_bytes()
    expected = {ROOM: [one for _, one in entries(120)], OTHER: [one for _, one in entries(2)]}
    told = 0
    for offset in range(37, len(sound), 397):
        path.write_bytes(sound)
        flip(path, offset)
        try:
            store = await SqliteStore.open(path)
        except StoreError:
            told += 1
            continue
        try:
            for room, log in expected.items():
                assert list((await store.load(room)).entries) == log
        except StoreError:
            told += 1
        finally:
            await store.close()
    assert told > 10


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 0xA5]))
