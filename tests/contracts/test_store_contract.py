"""What every store must do. Runs on each adapter of ``collab.ports.Store``, the in-memory twin included."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from collab.errors import StoreError
from collab.ids import ClientId, ConnectionId, JobId, PersonId, RoomId
from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from collab.io.sqlite import SqliteStore
from collab.memory import MemoryStore
from collab.origin import (
    ChangeOrigin,
    ImportOrigin,
    JobOrigin,
    NodeOrigin,
    Origin,
    PersonOrigin,
    RestoreOrigin,
    UndoOrigin,
)
from collab.ports import Checkpoint, LogEntry, Store, StoredRoom
from tests.redis_process import RedisProcess

ANNA = PersonOrigin(PersonId("p1"), ConnectionId("c1"))
ROOM = RoomId("team/project")
OTHER = RoomId("other")
EMPTY = StoredRoom(None, ())


def entry(seq: int, update: bytes = b"update", at_ms: int = 1_700_000_000_000, origin: Origin = ANNA) -> LogEntry:
    return LogEntry(seq, at_ms + seq, origin, update)


def log(count: int, room: RoomId = ROOM, first: int = 1) -> list[tuple[RoomId, LogEntry]]:
    return [(room, entry(seq, f"u{seq}".encode())) for seq in range(first, first + count)]


class Opened:
    """A store and the way to open what it keeps again, as a new process would."""

    def __init__(self, store: Store, again: Callable[[], Awaitable[Store]]) -> None:
        self.store = store
        self._again = again

    async def reopen(self) -> Store:
        await self.store.close()
        self.store = await self._again()
        return self.store


@pytest.fixture(params=["memory", "sqlite", pytest.param("redis", marks=pytest.mark.integration)])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            memory = MemoryStore()

            async def again() -> Store:
                memory.reopen()
                return memory

        elif request.param == "sqlite":

            async def again() -> Store:
                return await SqliteStore.open(tmp_path / "rooms.sqlite")

        else:
            program = request.getfixturevalue("redis_server")
            redis = await stack.enter_async_context(RedisProcess(program, tmp_path))
            link = await RedisLink.open(redis.url)
            stack.push_async_callback(link.aclose)

            async def again() -> Store:
                return RedisStore(link, writer="w")

        opened = Opened(await again(), again)
        yield opened
        await opened.store.close()


@pytest.fixture
def store(opened: Opened) -> Store:
    return opened.store


async def test_a_room_that_was_never_stored_is_empty(store: Store) -> None:
    assert await store.load(ROOM) == EMPTY
    assert (await store.load(ROOM)).last_seq == 0
    assert await store.rooms() == []
    assert await store.records(ROOM, "job") == {}


async def test_appended_entries_come_back_in_order(store: Store) -> None:
    await store.append(log(3))
    await store.append(log(2, first=4))
    loaded = await store.load(ROOM)
    assert loaded == StoredRoom(None, tuple(one for _, one in log(5)))
    assert loaded.last_seq == 5


async def test_what_nobody_waits_for_is_read_as_what_somebody_does(store: Store) -> None:
    await store.append(log(200))
    await store.compact(ROOM, Checkpoint(50, b"state"))
    assert (await store.load(ROOM, aside=True)).last_seq == 200
    assert await store.load(ROOM, aside=True) == await store.load(ROOM)
    assert await store.load(OTHER, aside=True) == EMPTY


async def test_rooms_keep_apart(store: Store) -> None:
    await store.append([log(1)[0], log(1, OTHER)[0], *log(2, OTHER, 2), *log(1, ROOM, 2)])
    assert [one.seq for one in (await store.load(ROOM)).entries] == [1, 2]
    assert [one.seq for one in (await store.load(OTHER)).entries] == [1, 2, 3]


async def test_what_was_appended_is_there_after_reopening(opened: Opened) -> None:
    await opened.store.append(log(3))
    await opened.store.put_record(ROOM, "job", "j1", b"\x00record")
    store = await opened.reopen()
    assert (await store.load(ROOM)).entries == tuple(one for _, one in log(3))
    assert await store.records(ROOM, "job") == {"j1": b"\x00record"}
    await store.append(log(1, first=4))
    assert (await store.load(ROOM)).last_seq == 4


async def test_appending_again_changes_nothing(store: Store) -> None:
    await store.append(log(3))
    await store.append([(ROOM, entry(2, b"something else")), *log(2, first=3)])
    assert (await store.load(ROOM)).entries == tuple(one for _, one in log(4))


async def test_appending_again_what_a_checkpoint_covers_changes_nothing(opened: Opened) -> None:
    await opened.store.append(log(3))
    await opened.store.compact(ROOM, Checkpoint(3, b"state"))
    await opened.store.append(log(3))
    assert (await opened.store.load(ROOM)).entries == ()
    store = await opened.reopen()
    await store.append(log(4))
    assert [one.seq for one in (await store.load(ROOM)).entries] == [4]


async def test_an_entry_twice_in_one_batch_is_stored_once(store: Store) -> None:
    await store.append([*log(2), *log(2)])
    assert [one.seq for one in (await store.load(ROOM)).entries] == [1, 2]


@pytest.mark.parametrize("known", [0, 3])
async def test_a_batch_with_a_gap_is_refused_as_a_whole(store: Store, known: int) -> None:
    await store.append(log(known))
    before = await store.load(ROOM)
    with pytest.raises(StoreError, match=f"Entry {known + 3} of room 'team/project'"):
        await store.append([*log(1, OTHER), *log(1, first=known + 1), *log(1, first=known + 3)])
    assert await store.load(ROOM) == before
    assert await store.load(OTHER) == EMPTY
    await store.append([*log(1, OTHER), *log(3, first=known + 1)])
    assert (await store.load(ROOM)).last_seq == known + 3
    assert (await store.load(OTHER)).last_seq == 1


async def test_an_empty_batch_is_no_error(store: Store) -> None:
    await store.append([])
    assert await store.rooms() == []


@pytest.mark.parametrize(
    "origin",
    [
        PersonOrigin(PersonId("Ünal"), ConnectionId("c"), (ClientId(1), ClientId(2**53 - 1))),
        JobOrigin(JobId("j"), PersonId("p")),
        UndoOrigin(JobId("j"), PersonId("p"), redo=True),
        UndoOrigin(JobId("j"), PersonId("p"), copies=bytes(range(256)) * 100),
        ChangeOrigin("c", PersonId("p"), "put"),
        ImportOrigin(PersonId("p")),
        NodeOrigin("node-1"),
        RestoreOrigin(),
        RestoreOrigin(bytes(range(256))),
    ],
    ids=lambda origin: type(origin).__name__,
)
async def test_origins_come_back_as_they_were(store: Store, origin: Origin) -> None:
    await store.append([(ROOM, entry(1, origin=origin))])
    assert (await store.load(ROOM)).entries[0].origin == origin


@pytest.mark.parametrize("update", [b"", b"\x00", bytes(range(256)), b"x" * 3_000_000], ids=len)
async def test_updates_come_back_byte_for_byte(store: Store, update: bytes) -> None:
    await store.append([(ROOM, entry(1, update)), (ROOM, entry(2))])
    assert [one.update for one in (await store.load(ROOM)).entries] == [update, b"update"]


async def test_a_log_larger_than_a_reading_step_comes_back(store: Store) -> None:
    updates = [bytes([seq]) * 9_000_000 for seq in range(1, 5)]
    await store.append([(ROOM, entry(seq, update)) for seq, update in enumerate(updates, 1)])
    assert [one.update for one in (await store.load(ROOM)).entries] == updates


async def test_batches_of_every_size_come_back(store: Store) -> None:
    first = 1
    for size in (1, 2, 63, 64, 65, 128, 500):
        await store.append(log(size, first=first))
        first += size
    assert [one.seq for one in (await store.load(ROOM)).entries] == list(range(1, first))


async def test_a_checkpoint_replaces_the_entries_it_covers(opened: Opened) -> None:
    await opened.store.append(log(5))
    checkpoint = Checkpoint(3, b"state", (b"waits", b"waits too"))
    await opened.store.compact(ROOM, checkpoint)
    expected = StoredRoom(checkpoint, tuple(one for _, one in log(2, first=4)))
    assert await opened.store.load(ROOM) == expected
    assert await (await opened.reopen()).load(ROOM) == expected


async def test_who_wrote_what_is_kept_with_the_checkpoint(opened: Opened) -> None:
    await opened.store.append(log(5))
    first = Checkpoint(2, b"state", (b"waits",), b"who wrote what")
    await opened.store.compact(ROOM, first)
    assert (await (await opened.reopen()).load(ROOM)).checkpoint == first
    second = Checkpoint(4, b"newer state", (), bytes(range(256)) * 3_000)
    await opened.store.compact(ROOM, second)
    assert (await (await opened.reopen()).load(ROOM)).checkpoint == second
    await opened.store.compact(ROOM, first)
    assert (await opened.store.load(ROOM)).checkpoint == second
    (room,) = await opened.store.rooms()
    assert room.stored_bytes > 768_000


async def test_a_deleted_room_has_no_authors_when_it_is_made_again(opened: Opened) -> None:
    await opened.store.append(log(2))
    await opened.store.compact(ROOM, Checkpoint(2, b"state", (), b"who wrote what"))
    await opened.store.delete(ROOM)
    await opened.store.append(log(2))
    await opened.store.compact(ROOM, Checkpoint(2, b"state"))
    assert (await opened.store.load(ROOM)).checkpoint == Checkpoint(2, b"state")


async def test_the_count_goes_on_after_everything_was_compacted(opened: Opened) -> None:
    await opened.store.append(log(5))
    await opened.store.compact(ROOM, Checkpoint(5, b"state"))
    store = await opened.reopen()
    assert (await store.load(ROOM)).last_seq == 5
    await store.append(log(1, first=6))
    assert (await store.load(ROOM)).last_seq == 6


async def test_a_newer_checkpoint_replaces_an_older_one_and_not_the_reverse(store: Store) -> None:
    await store.append(log(5))
    await store.compact(ROOM, Checkpoint(4, b"four"))
    await store.compact(ROOM, Checkpoint(2, b"two"))
    assert (await store.load(ROOM)).checkpoint == Checkpoint(4, b"four")
    await store.compact(ROOM, Checkpoint(5, b"five"))
    assert await store.load(ROOM) == StoredRoom(Checkpoint(5, b"five"), ())


async def test_a_checkpoint_of_entries_that_are_not_stored_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="only 0 are stored"):
        await store.compact(ROOM, Checkpoint(1, b"state"))
    await store.append(log(2))
    with pytest.raises(StoreError, match="only 2 are stored"):
        await store.compact(ROOM, Checkpoint(3, b"state"))
    assert await store.load(ROOM) == StoredRoom(None, tuple(one for _, one in log(2)))


async def test_rooms_are_listed_by_name_with_their_figures(store: Store) -> None:
    await store.append([*log(3), *log(1, OTHER)])
    await store.compact(ROOM, Checkpoint(2, b"s" * 100))
    other, room = await store.rooms()
    assert (other.room, other.log_entries, other.last_change_ms) == (OTHER, 1, 1_700_000_000_001)
    assert (room.room, room.log_entries, room.last_change_ms) == (ROOM, 1, 1_700_000_000_003)
    assert other.stored_bytes == 2
    assert 102 <= room.stored_bytes <= 110


async def test_the_last_change_survives_compaction(store: Store) -> None:
    await store.append(log(3))
    await store.compact(ROOM, Checkpoint(3, b"state"))
    await store.compact(ROOM, Checkpoint(3, b"state"))
    assert [one.last_change_ms for one in await store.rooms()] == [1_700_000_000_003]


async def test_a_deleted_room_is_gone_and_counts_from_one_again(opened: Opened) -> None:
    await opened.store.append([*log(3), *log(2, OTHER)])
    await opened.store.compact(ROOM, Checkpoint(2, b"state"))
    await opened.store.put_record(ROOM, "job", "j1", b"job")
    await opened.store.delete(ROOM)
    assert await opened.store.load(ROOM) == EMPTY
    assert await opened.store.records(ROOM, "job") == {}
    assert [one.room for one in await opened.store.rooms()] == [OTHER]
    await opened.store.append(log(1))
    store = await opened.reopen()
    assert [one.seq for one in (await store.load(ROOM)).entries] == [1]
    assert (await store.load(OTHER)).last_seq == 2


async def test_deleting_a_room_that_is_not_there_is_no_error(store: Store) -> None:
    await store.delete(ROOM)
    assert await store.rooms() == []


async def test_records_keep_apart_by_room_and_kind(store: Store) -> None:
    await store.put_record(ROOM, "job", "j1", b"1")
    await store.put_record(ROOM, "job", "j2", b"2")
    await store.put_record(ROOM, "suggestion", "j1", b"3")
    await store.put_record(OTHER, "job", "j1", b"4")
    assert await store.records(ROOM, "job") == {"j1": b"1", "j2": b"2"}
    assert await store.records(ROOM, "suggestion") == {"j1": b"3"}
    assert await store.records(OTHER, "job") == {"j1": b"4"}


async def test_a_record_is_replaced_and_forgotten(store: Store) -> None:
    await store.put_record(ROOM, "job", "j1", b"old")
    await store.put_record(ROOM, "job", "j1", b"new")
    assert await store.records(ROOM, "job") == {"j1": b"new"}
    await store.put_record(ROOM, "job", "j1", None)
    await store.put_record(OTHER, "job", "j1", None)
    assert await store.records(ROOM, "job") == {}


async def test_a_room_that_has_only_records_counts_from_one(store: Store) -> None:
    await store.put_record(ROOM, "job", "j1", b"job")
    assert await store.load(ROOM) == EMPTY
    await store.append(log(1))
    assert (await store.load(ROOM)).last_seq == 1


async def test_a_closed_store_says_so(opened: Opened) -> None:
    await opened.store.close()
    await opened.store.close()
    with pytest.raises(StoreError, match="closed"):
        await opened.store.load(ROOM)
    with pytest.raises(StoreError, match="closed"):
        await opened.store.append(log(1))
