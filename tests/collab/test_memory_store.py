"""What only the store in memory can do; the rest is in the contract of stores."""

from __future__ import annotations

import pytest

from collab.errors import StoreUnavailable
from collab.ids import RoomId
from collab.memory import MemoryStore
from collab.origin import RestoreOrigin
from collab.ports import Checkpoint, LogEntry

ROOM = RoomId("room")
FULL = StoreUnavailable("The disk is full.")


def entry(seq: int) -> LogEntry:
    return LogEntry(seq, 0, RestoreOrigin(), b"update")


async def test_a_broken_store_refuses_every_write_and_can_still_be_read() -> None:
    store = MemoryStore()
    await store.append([(ROOM, entry(1))])
    store.break_down(FULL)
    writes = [
        store.append([(ROOM, entry(2))]),
        store.compact(ROOM, Checkpoint(1, b"state")),
        store.delete(ROOM),
        store.put_record(ROOM, "job", "j1", b"job"),
    ]
    for write in writes:
        with pytest.raises(StoreUnavailable, match="The disk is full"):
            await write
    assert (await store.load(ROOM)).entries == (entry(1),)
    assert await store.records(ROOM, "job") == {}


async def test_a_repaired_store_goes_on() -> None:
    store = MemoryStore()
    store.break_down(FULL)
    store.repair()
    await store.append([(ROOM, entry(1))])
    assert (await store.load(ROOM)).last_seq == 1
