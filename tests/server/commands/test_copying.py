from __future__ import annotations

import itertools

import pytest

from collab.errors import StoreError, StoreUnavailable
from collab.history.version import KIND, PACKS, PackRef, Version, VersionId
from collab.ids import RoomId
from collab.memory import MemoryStore
from collab.ports import Checkpoint, LogEntry, RoomSummary, Store, StoredRoom
from server.commands.copying import NotCopied, Target, copy_room, differences, plan, read_records
from tests.server.commands.stored_rooms import ANNA, AT_MS, ROOM, edits, entries, fill


async def summary(store: Store, room: RoomId = ROOM) -> RoomSummary:
    return next(one for one in await store.rooms() if one.room == room)


async def test_a_room_comes_with_everything() -> None:
    source, target = MemoryStore(), MemoryStore()
    await fill(source)
    copied = await copy_room(source, Target(target), await summary(source), replacing=False)
    assert (copied.entries, copied.checkpoint, copied.records) == (10, True, 2)
    ours, theirs = await source.load(ROOM), await target.load(ROOM)
    assert differences(ours, theirs) == []
    assert await read_records(target, ROOM) == await read_records(source, ROOM)
    assert [(one.at_ms, one.origin) for one in theirs.entries] == [(one.at_ms, one.origin) for one in ours.entries]


async def test_versions_come_with_all_that_they_hold() -> None:
    source, target = MemoryStore(), MemoryStore()
    await fill(source)
    ref = PackRef("p1", 3, 2)
    await source.put_record(ROOM, PACKS, ref.id, ref.to_bytes())
    for place in ref.places:
        await source.put_record(ROOM, ref.kind, place, b"what it holds")
    await source.put_record(ROOM, KIND, "v1", Version(VersionId("v1"), 1, AT_MS, "work", pack=ref).to_bytes())
    copied = await copy_room(source, Target(target), await summary(source), replacing=False)
    assert copied.records == 6
    assert await target.records(ROOM, ref.kind) == await source.records(ROOM, ref.kind) != {}
    assert await target.records(ROOM, KIND) == await source.records(ROOM, KIND)


async def test_numbers_begin_at_one_and_have_no_gap() -> None:
    source = MemoryStore()
    await fill(source)
    planned = plan(await source.load(ROOM), await summary(source))
    assert [entry.seq for entry in planned.entries] == list(range(1, 13))
    # The state and the waiting update.
    assert planned.checkpoint is not None
    assert planned.checkpoint.seq == 2


async def test_times_stay_in_order() -> None:
    source = MemoryStore()
    await fill(source)
    times = [entry.at_ms for entry in plan(await source.load(ROOM), await summary(source)).entries]
    assert all(before <= after for before, after in itertools.pairwise(times))
    assert times[0] > AT_MS


def room(*updates: bytes, checkpoint: Checkpoint | None = None) -> StoredRoom:
    first = checkpoint.seq + 1 if checkpoint else 1
    return StoredRoom(checkpoint, tuple(entries(list(updates), first)))


def test_a_missing_entry_is_a_difference() -> None:
    updates = edits(5)
    assert differences(room(*updates), room(*updates[:4])) == ["state vector", "content", "entries", "authors"]


def test_the_same_document_with_other_entries_is_a_difference() -> None:
    updates = edits(5)
    assert differences(room(*updates), room(*updates, updates[0])) == ["entries"]


def test_where_the_checkpoint_ends_makes_no_difference() -> None:
    state, more = edits(2)
    late = StoredRoom(Checkpoint(900, state), (LogEntry(901, AT_MS, ANNA, more),))
    early = StoredRoom(Checkpoint(1, state), (LogEntry(2, AT_MS, ANNA, more),))
    assert differences(late, early) == []


class Forgetful(MemoryStore):
    """Loses the last entry of what is appended."""

    async def append(self, entries: object) -> None:
        assert isinstance(entries, list)
        await super().append(entries[:-1])


async def test_a_copy_that_differs_is_deleted_again() -> None:
    source, target = MemoryStore(), Forgetful()
    await source.append([(ROOM, entry) for entry in entries(edits(5))])
    with pytest.raises(NotCopied, match="state vector"):
        await copy_room(source, Target(target), await summary(source), replacing=False)
    assert await target.rooms() == []


async def test_a_room_that_cannot_be_replayed_is_told_before_anything_is_written() -> None:
    source, target = MemoryStore(), MemoryStore()
    await source.append([(ROOM, LogEntry(1, 0, ANNA, b"\xff garbage"))])
    await target.append([(ROOM, entry) for entry in entries(edits(2))])
    before = await target.load(ROOM)
    with pytest.raises(NotCopied, match="pairloom doctor"):
        await copy_room(source, Target(target), await summary(source), replacing=True)
    assert await target.load(ROOM) == before


async def test_what_was_there_is_replaced() -> None:
    source, target = MemoryStore(), MemoryStore()
    await fill(source)
    await target.append([(ROOM, entry) for entry in entries(edits(3, client=9))])
    await target.put_record(ROOM, "job", "old", b"old")
    await copy_room(source, Target(target), await summary(source), replacing=True)
    assert differences(await source.load(ROOM), await target.load(ROOM)) == []
    assert await target.records(ROOM, "job") == {}


async def test_a_store_that_refuses_is_told() -> None:
    source, target = MemoryStore(), MemoryStore()
    await fill(source)
    target.break_down(StoreUnavailable("full"))
    with pytest.raises(StoreError, match="full"):
        await copy_room(source, Target(target), await summary(source), replacing=False)
