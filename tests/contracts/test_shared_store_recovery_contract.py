"""What every shared store must do when it has lost something, and when its logs are compacted."""

from __future__ import annotations

import asyncio

import pytest

from collab.errors import StoreFenced
from collab.ports import Checkpoint
from collab.shared import CommitState, Mark, SharedStore, Stamp
from tests.contracts.shared_worlds import (
    OTHER,
    ROOM,
    World,
    commit,
    commit_entries,
    entries,
    entry,
    eventually,
    mark_of,
    reached,
    stamps,
)

# What the store has lost


async def test_a_store_that_went_back_is_noticed(forgetful: World) -> None:
    a, b = await forgetful.store("a"), await forgetful.store("b")
    await commit(a, Mark(), 1, 2)
    await forgetful.remember()
    await commit(a, Mark(), 3)
    mark = await mark_of(a)
    await forgetful.go_back(ROOM, 2)
    await eventually(lambda: reached(a))
    await eventually(lambda: reached(b))
    assert (await commit(a, mark, 4)).state is CommitState.BEHIND
    (tail,) = await a.tails([(ROOM, mark)])
    assert (tail.same, tail.last) == (False, 2)
    # Another node's entry takes the place of the lost one.
    await commit(b, Mark(mark.log, 2, Stamp("a", 2)), 3)
    (tail,) = await a.tails([(ROOM, mark)])
    assert (tail.same, tail.last) == (False, 3)
    assert (await commit(a, mark, 4)).state is CommitState.BEHIND
    # Nor does it help that the log is longer now than it ever was, nor that the place is part of a checkpoint.
    await commit(b, Mark(mark.log, 3, Stamp("b", 3)), 4, 5, 6)
    assert (await commit(a, mark, 4)).state is CommitState.BEHIND
    async with b.compacting(ROOM):
        await b.compact(ROOM, Checkpoint(3, b"three"))
    assert (await commit(a, mark, 4)).state is CommitState.BEHIND
    async with b.compacting(ROOM):
        await b.compact(ROOM, Checkpoint(5, b"five"))
    assert (await commit(a, mark, 4)).state is CommitState.BEHIND
    assert (await commit(b, Mark(mark.log, 5, Stamp("b", 5)), 7)).state is CommitState.STORED


async def test_what_was_lost_is_brought_back_under_a_new_name(
    world: World, a: SharedStore, b: SharedStore
) -> None:
    await commit(a, Mark(), 1, 2)
    mark = await mark_of(a)
    await world.wipe()
    begun = await commit(b, Mark(), 1)
    seen = await mark_of(a)
    done = await a.restore(ROOM, seen, entries(3), 7, rename=True)
    assert (done.state, done.first, done.count, done.numbers) == (CommitState.STORED, 2, 1, (3,))
    assert done.log not in {mark.log, begun.log}
    assert await stamps(b) == [("b", 1), ("a", 3)]
    # All up to 7 counts as stored; the other node finds out when it writes, and when it looks.
    assert (await commit(a, Mark(done.log), 6, 7)).count == 0
    assert (await commit(a, Mark(done.log), 8)).count == 1
    assert (await commit(b, Mark(begun.log, 1, Stamp("b", 1)), 2)).state is CommitState.BEHIND
    (tail,) = await b.tails([(ROOM, Mark(begun.log, 1, Stamp("b", 1)))])
    assert (tail.same, tail.deleted) == (False, False)


async def test_a_log_is_renamed_by_the_first_only(world: World, a: SharedStore, b: SharedStore) -> None:
    seen = Mark((await commit(a, Mark(), 1)).log)
    first = await a.restore(ROOM, seen, entries(2), 2, rename=True)
    assert first.log != seen.log
    second = await b.restore(ROOM, seen, entries(2), 2, rename=True)
    assert (second.state, second.log) == (CommitState.BEHIND, first.log)
    third = await b.restore(ROOM, await mark_of(b), entries(2), 2, rename=False)
    assert (third.state, third.log, third.first) == (CommitState.STORED, first.log, 3)


@pytest.mark.parametrize(
    "seen",
    [
        Mark("another"),
        Mark("another", 3, Stamp("a", 3)),
        Mark("", 3, Stamp("a", 3)),
        Mark("same", 3, Stamp("b", 3)),
        Mark("same", 2, Stamp("a", 3)),
        Mark("same", 4, Stamp("a", 4)),
    ],
)
async def test_nothing_is_brought_back_to_a_log_that_is_not_the_one_that_was_read(
    a: SharedStore, b: SharedStore, seen: Mark
) -> None:
    log = (await commit(a, Mark(), 1, 2, 3)).log
    seen = Mark(log, seen.position, seen.stamp) if seen.log == "same" else seen
    done = await b.restore(ROOM, seen, entries(2), 7, rename=True)
    assert (done.state, done.log) == (CommitState.BEHIND, log)
    assert await stamps(a) == [("a", 1), ("a", 2), ("a", 3)]
    assert (await b.snapshot(ROOM)).number == 0


async def test_restoring_without_a_new_name_keeps_the_log(a: SharedStore) -> None:
    seen = Mark((await commit(a, Mark(), 1)).log)
    done = await a.restore(ROOM, seen, entries(2), 2, rename=False)
    assert (done.log, done.first) == (seen.log, 2)


async def test_restoring_begins_a_log_that_is_not_there(a: SharedStore) -> None:
    gone = await a.restore(ROOM, Mark("gone", 5, Stamp("a", 5)), entries(6), 6, rename=True)
    assert gone.state is CommitState.BEHIND
    done = await a.restore(ROOM, Mark(), entries(6), 6, rename=True)
    assert (done.state, done.first) == (CommitState.STORED, 1)
    assert (await mark_of(a)).log == done.log != ""
    nothing = await a.restore(OTHER, Mark(), (), 3, rename=True)
    assert (nothing.state, nothing.count) == (CommitState.STORED, 0)
    assert nothing.log
    assert (await commit(a, Mark(nothing.log), 3, 4, room=OTHER)).numbers == (4,)


async def test_a_deleted_room_is_not_restored(a: SharedStore, b: SharedStore) -> None:
    await commit(a, Mark(), 1)
    mark = await mark_of(a)
    await b.delete(ROOM)
    assert (await a.restore(ROOM, mark, entries(2), 2, rename=True)).state is CommitState.DELETED
    assert await a.rooms() == []


# Compaction


async def test_one_node_at_a_time_compacts(a: SharedStore, b: SharedStore) -> None:
    await commit(a, Mark(), 1, 2)
    async with a.compacting(ROOM) as ours:
        assert ours
        async with b.compacting(ROOM) as theirs:
            assert not theirs
        async with b.compacting(OTHER) as another:
            assert another
        await a.load(ROOM)
        await a.compact(ROOM, Checkpoint(2, b"state"))
    async with b.compacting(ROOM) as theirs:
        assert theirs
    assert (await b.load(ROOM)).checkpoint == Checkpoint(2, b"state")


async def test_a_checkpoint_of_entries_that_others_wrote_leaves_the_rest(a: SharedStore, b: SharedStore) -> None:
    await commit(a, Mark(), 1, 2)
    async with a.compacting(ROOM):
        loaded = await a.load(ROOM)
        await commit(b, Mark(), 3)
        await a.compact(ROOM, Checkpoint(loaded.last_seq, b"state", (b"pending",)))
    snapshot = await b.snapshot(ROOM)
    assert snapshot.stored.checkpoint == Checkpoint(2, b"state", (b"pending",))
    assert [one.seq for one in snapshot.stored.entries] == [3]
    assert (await a.facts([ROOM]))[0].checkpoint_entries == 2
    assert (await a.facts([ROOM]))[0].checkpoint_ms > 1_600_000_000_000


async def test_a_checkpoint_of_a_log_that_is_not_there_any_more_is_refused(world: World, a: SharedStore) -> None:
    await commit(a, Mark(), 1, 2)
    async with a.compacting(ROOM):
        await a.load(ROOM)
        await world.wipe()
        await a.append([(ROOM, one) for one in entries(1, 2, 3)])
        with pytest.raises(StoreFenced):
            await a.compact(ROOM, Checkpoint(2, b"state of the log before"))
    assert (await a.load(ROOM)).checkpoint is None


async def test_a_checkpoint_of_a_log_that_went_back_is_refused(forgetful: World) -> None:
    a, b = await forgetful.store("a"), await forgetful.store("b")
    await commit(a, Mark(), 1)
    async with a.compacting(ROOM):
        await forgetful.remember()
        await commit(a, Mark(), 2)
        await a.load(ROOM)
        await forgetful.go_back(ROOM, 1)
        await eventually(lambda: reached(a))
        await eventually(lambda: reached(b))
        await commit(b, Mark(), 2)
        with pytest.raises(StoreFenced, match="lost"):
            await a.compact(ROOM, Checkpoint(2, b"state of what was lost"))
    assert await stamps(b) == [("a", 1), ("b", 2)]


async def test_a_reader_sees_one_moment_while_others_write_and_compact(a: SharedStore, b: SharedStore) -> None:
    """Each state is the number of its entries, so that a reader can tell whether what it has fits together."""
    size = 400
    await commit_entries(a, Mark(), *(entry(number, b"x" * 2000) for number in range(1, size + 1)))
    log = (await mark_of(a)).log

    async def compact() -> None:
        for seq in range(size, size + 60):
            await commit(a, Mark(log, seq, Stamp("a", seq)), seq + 1)
            await a.compact(ROOM, Checkpoint(seq, str(seq).encode() * 50_000))

    async with asyncio.TaskGroup() as group:
        compacting = group.create_task(compact())
        reads = 0
        while not compacting.done() or not reads:
            snapshot = await b.snapshot(ROOM)
            reads += 1
            checkpoint = snapshot.stored.checkpoint
            start = checkpoint.seq if checkpoint else 0
            if checkpoint is not None:
                assert checkpoint.state == str(start).encode() * 50_000
            assert [one.seq for one in snapshot.stored.entries] == list(
                range(start + 1, snapshot.mark.position + 1)
            )
            assert snapshot.mark.stamp == Stamp("a", snapshot.mark.position)
            await asyncio.sleep(0)


async def test_a_process_is_told_its_own_last_number_though_the_log_is_shorter(
    a: SharedStore, b: SharedStore
) -> None:
    assert (await a.snapshot(ROOM)).number == 0
    begun = await commit(b, Mark(), 1)
    await a.restore(ROOM, Mark(begun.log, 1, Stamp("b", 1)), entries(3), 7, rename=False)
    assert [(await store.snapshot(ROOM)).number for store in (a, b)] == [7, 1]
    assert (await a.snapshot(ROOM)).mark.position == 2
