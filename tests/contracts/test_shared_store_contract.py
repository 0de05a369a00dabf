"""What every store that several nodes share must do. Runs on each adapter of ``collab.shared.SharedStore``."""

from __future__ import annotations

import asyncio

import pytest

from collab.errors import StoreError
from collab.ids import NodeId, RoomId
from collab.ports import Checkpoint
from collab.shared import Commit, CommitState, Mark, SharedStore, Stamp
from tests.contracts.shared_worlds import (
    OTHER,
    ROOM,
    World,
    commit,
    commit_entries,
    entries,
    entry,
    mark_of,
    stamps,
)

# Commits


async def test_the_first_commit_begins_a_log(a: SharedStore) -> None:
    done = await commit(a, Mark(), 1, 2)
    assert (done.state, done.first, done.count, done.numbers) == (CommitState.STORED, 1, 2, (1, 2))
    snapshot = await a.snapshot(ROOM)
    assert [one.update for one in snapshot.stored.entries] == [b"u1", b"u2"]
    assert snapshot.mark == Mark(done.log, 2, Stamp("a", 2))
    assert done.log


async def test_a_log_that_was_deleted_begins_under_another_name(a: SharedStore) -> None:
    first = await commit(a, Mark(), 1)
    await a.delete(ROOM)
    second = await commit(a, Mark(), 1)
    assert second.state is CommitState.STORED
    assert second.log != first.log


async def test_entries_of_two_writers_interleave_without_holes(a: SharedStore, b: SharedStore) -> None:
    await commit(a, Mark(), 1, 2)
    mark = await mark_of(b)
    done = await commit(b, mark, 3)
    assert (done.first, done.count) == (3, 1)
    done = await commit(a, mark, 3, 4)
    assert (done.first, done.count, done.numbers) == (4, 2, (3, 4))
    await commit(b, mark, 4)
    assert await stamps(a) == [("a", 1), ("a", 2), ("b", 3), ("a", 3), ("a", 4), ("b", 4)]
    assert [one.seq for one in (await b.load(ROOM)).entries] == [1, 2, 3, 4, 5, 6]


async def test_writers_at_the_same_time_leave_no_hole(a: SharedStore, b: SharedStore) -> None:
    await commit(a, Mark(), 1)
    mark = await mark_of(a)
    stores = {"a": a, "b": b}
    await asyncio.gather(
        *(write(stores[name], mark, range(2, 42)) for name in stores),
    )
    found = await stamps(a)
    assert len(found) == 81
    assert [number for writer, number in found if writer == "b"] == list(range(2, 42))


async def write(store: SharedStore, mark: Mark, numbers: range) -> None:
    for number in numbers:
        assert (await commit(store, mark, number)).count == 1


async def test_a_commit_that_is_repeated_is_stored_once(a: SharedStore) -> None:
    mark = Mark((await commit(a, Mark(), 1, 2)).log)
    again = await commit(a, mark, 1, 2, 3)
    assert (again.state, again.first, again.count, again.numbers) == (CommitState.STORED, 3, 1, (3,))
    nothing = await commit(a, mark, 1, 2, 3)
    assert (nothing.state, nothing.count, nothing.numbers) == (CommitState.STORED, 0, ())
    assert await stamps(a) == [("a", 1), ("a", 2), ("a", 3)]


async def test_a_commit_of_several_rooms_answers_for_each(a: SharedStore) -> None:
    log = (await commit(a, Mark(), 1)).log
    done = await a.commit(
        [
            Commit(ROOM, Mark(log), entries(2)),
            Commit(OTHER, Mark("unknown"), entries(1)),
            Commit(RoomId("new"), Mark(), entries(1)),
        ]
    )
    assert [one.state for one in done] == [CommitState.STORED, CommitState.BEHIND, CommitState.STORED]
    assert [one.first for one in done] == [2, 0, 1]
    assert [one.room for one in await a.rooms()] == ["new", ROOM]


async def test_a_commit_of_hundreds_of_rooms_is_stored(a: SharedStore) -> None:
    rooms = [RoomId(f"room{number:03}") for number in range(450)]
    done = await a.commit([Commit(room, Mark(), entries(1)) for room in rooms])
    assert {one.state for one in done} == {CommitState.STORED}
    assert [one.room for one in await a.rooms()] == rooms


async def test_an_empty_commit_does_nothing(a: SharedStore) -> None:
    assert await a.commit([]) == []
    assert await a.rooms() == []


async def test_a_commit_to_a_log_that_is_gone_is_behind(world: World, a: SharedStore, b: SharedStore) -> None:
    await commit(a, Mark(), 1)
    mark = await mark_of(a)
    await world.wipe()
    assert (await commit(a, mark, 2)).state is CommitState.BEHIND
    await commit(b, Mark(), 1)
    assert (await commit(a, mark, 2)).state is CommitState.BEHIND
    assert await stamps(a) == [("b", 1)]


async def test_a_commit_to_a_shorter_log_is_behind(a: SharedStore) -> None:
    log = (await commit(a, Mark(), 1)).log
    assert (await commit(a, Mark(log, 2, Stamp("b", 2)), 2)).state is CommitState.BEHIND
    assert await stamps(a) == [("a", 1)]


async def test_a_commit_to_a_deleted_room_says_so(a: SharedStore, b: SharedStore) -> None:
    await commit(a, Mark(), 1)
    mark = await mark_of(a)
    await b.delete(ROOM)
    assert (await commit(a, mark, 2)).state is CommitState.DELETED
    await commit(b, Mark(), 1)
    assert (await commit(a, mark, 2)).state is CommitState.DELETED
    assert await stamps(b) == [("b", 1)]


async def test_a_commit_counts_the_other_nodes_in_the_room(a: SharedStore, b: SharedStore) -> None:
    assert (await commit(a, Mark(), 1)).peers == 0
    await a.enter([ROOM], NodeId("a.0"))
    await a.enter([ROOM], NodeId("a.1"))
    assert (await commit(a, Mark(), 2)).peers == 0
    await b.enter([ROOM], NodeId("b.0"))
    assert (await commit(a, Mark(), 3)).peers == 1
    assert (await commit(b, Mark(), 4)).peers == 2


# Tails


async def test_a_room_that_is_not_there_has_no_tail(a: SharedStore) -> None:
    (tail,) = await a.tails([(ROOM, Mark())])
    assert (tail.log, tail.last, tail.same, tail.entries, tail.deleted) == ("", 0, True, (), False)


async def test_a_log_that_began_meanwhile_is_read_whole(a: SharedStore, b: SharedStore) -> None:
    log = (await commit(b, Mark(), 1, 2)).log
    (tail,) = await a.tails([(ROOM, Mark())])
    assert (tail.log, tail.last, tail.same) == (log, 2, True)
    assert [one.entry.update for one in tail.entries] == [b"u1", b"u2"]


async def test_a_tail_has_what_comes_after_the_mark(a: SharedStore, b: SharedStore) -> None:
    await commit(a, Mark(), 1, 2)
    mark = await mark_of(a)
    await commit(b, mark, 3, 4)
    (tail,) = await a.tails([(ROOM, mark)])
    assert (tail.last, tail.same) == (4, True)
    assert [(one.entry.seq, one.stamp) for one in tail.entries] == [(3, Stamp("b", 3)), (4, Stamp("b", 4))]


async def test_a_tail_from_the_middle_looks_at_the_entry_there(a: SharedStore) -> None:
    log = (await commit(a, Mark(), 1, 2, 3)).log
    right, wrong, foreign = await a.tails(
        [
            (ROOM, Mark(log, 2, Stamp("a", 2))),
            (ROOM, Mark(log, 2, Stamp("a", 1))),
            (ROOM, Mark(log, 3, Stamp("b", 3))),
        ]
    )
    assert (right.same, len(right.entries)) == (True, 1)
    assert (wrong.same, wrong.entries) == (False, ())
    assert (foreign.same, foreign.entries) == (False, ())


async def test_a_tail_of_a_shorter_or_other_log_is_not_the_same(world: World, a: SharedStore) -> None:
    log = (await commit(a, Mark(), 1)).log
    shorter, other, missing = await a.tails(
        [(ROOM, Mark(log, 2, Stamp("a", 2))), (ROOM, Mark("x", 1, Stamp("a", 1))), (OTHER, Mark("x"))]
    )
    assert [one.same for one in (shorter, other, missing)] == [False, False, False]
    assert [one.deleted for one in (shorter, other, missing)] == [False, False, False]
    assert (shorter.log, missing.log) == (log, "")


async def test_a_tail_beside_a_checkpoint(a: SharedStore, b: SharedStore) -> None:
    log = (await commit(a, Mark(), 1, 2, 3)).log
    await commit(b, Mark(), 4)
    await a.compact(ROOM, Checkpoint(2, b"state"))
    inside, at, wrong, after, empty, unknown = await a.tails(
        [
            (ROOM, Mark(log, 1, Stamp("a", 1))),
            (ROOM, Mark(log, 2, Stamp("a", 2))),
            (ROOM, Mark(log, 2, Stamp("b", 2))),
            (ROOM, Mark(log, 3, Stamp("a", 3))),
            (ROOM, Mark(log)),
            (ROOM, Mark()),
        ]
    )
    assert [one.same for one in (inside, at, wrong, after, empty, unknown)] == [
        None,
        True,
        False,
        True,
        None,
        None,
    ]
    assert [[one.entry.seq for one in tail.entries] for tail in (inside, at, after)] == [[], [3, 4], [4]]


async def test_a_tail_of_a_log_that_is_all_checkpoint(a: SharedStore) -> None:
    log = (await commit(a, Mark(), 1, 2)).log
    await a.compact(ROOM, Checkpoint(2, b"state"))
    mark = Mark(log, 2, Stamp("a", 2))
    (tail,) = await a.tails([(ROOM, mark)])
    assert (tail.same, tail.last, tail.entries) == (True, 2, ())
    await commit(a, mark, 3)
    (tail,) = await a.tails([(ROOM, mark)])
    assert [one.stamp for one in tail.entries] == [Stamp("a", 3)]


async def test_a_tail_of_a_deleted_room_says_so(a: SharedStore, b: SharedStore) -> None:
    await commit(a, Mark(), 1)
    mark = await mark_of(a)
    await b.delete(ROOM)
    (tail,) = await a.tails([(ROOM, mark)])
    assert (tail.log, tail.same, tail.deleted) == ("", False, True)
    await commit(b, Mark(), 1)
    (tail,) = await a.tails([(ROOM, mark)])
    assert (tail.same, tail.deleted) == (False, True)


async def test_a_long_tail_comes_whole(a: SharedStore) -> None:
    updates = [bytes([number % 256]) * 30_000 for number in range(1, 301)]
    log = (await commit_entries(a, Mark(), *(entry(at, one) for at, one in enumerate(updates, 1)))).log
    long, short = await a.tails([(ROOM, Mark(log)), (ROOM, Mark(log, 299, Stamp("a", 299)))])
    assert [one.entry.update for one in long.entries] == updates
    assert len(short.entries) == 1


# Several processes, one store


async def test_a_gap_is_refused_for_every_writer(a: SharedStore, b: SharedStore) -> None:
    await a.append([(ROOM, one) for one in entries(1, 2)])
    with pytest.raises(StoreError, match="Entry 4 of room 'team/project' cannot follow entry 2"):
        await b.append([(ROOM, one) for one in entries(4)])
    await b.append([(ROOM, one) for one in entries(3)])
    assert await stamps(a) == [("a", 1), ("a", 2), ("b", 3)]


async def test_what_one_process_stores_all_read(a: SharedStore, b: SharedStore) -> None:
    await a.put_record(ROOM, "job", "j", b"1")
    await commit(a, Mark(), 1)
    assert await b.records(ROOM, "job") == {"j": b"1"}
    assert [one.update for one in (await b.load(ROOM)).entries] == [b"u1"]
    assert [(one.room, one.log_entries, one.stored_bytes) for one in await b.rooms()] == [(ROOM, 1, 3)]
    await b.delete(ROOM)
    assert await a.rooms() == []


async def test_a_store_has_its_writers_name(a: SharedStore) -> None:
    assert a.writer == "a"
