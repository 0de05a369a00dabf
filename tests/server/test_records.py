"""Records of rooms on their way to the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from collab.errors import StoreCorrupt, StoreError, StoreUnavailable
from collab.ids import ClientId, PersonId, RoomId
from collab.io.clock import SystemClock
from collab.io.writer import Writer
from collab.memory import MemoryStore
from server.owners import KEY, read_owners, write_owners
from server.records import Records

ROOM, OTHER = RoomId("room"), RoomId("other")


class SlowStore(MemoryStore):
    """Stores a record only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.let.set()
        self.puts: list[bytes | None] = []

    async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None) -> None:
        await self.let.wait()
        self.puts.append(value)
        await super().put_record(room, kind, key, value)


@asynccontextmanager
async def records_of(store: MemoryStore) -> AsyncIterator[Records]:
    def ignore(*_: object) -> None:
        pass

    writer = Writer(
        store, SystemClock(), Random(1), on_durable=ignore, on_not_saved=ignore, on_saved_again=lambda: None
    )
    async with writer:
        records = Records(store, writer)
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(records.run())
            try:
                yield records
            finally:
                work.cancel()
        await records.close()


async def test_a_record_is_stored_soon() -> None:
    store = MemoryStore()
    async with records_of(store) as records:
        records.put(ROOM, "job", "j1", b"one")
        await records.flush(ROOM)
        assert await store.records(ROOM, "job") == {"j1": b"one"}


async def test_a_record_can_be_read_before_it_is_stored() -> None:
    store = SlowStore()
    store.let.clear()
    async with records_of(store) as records:
        records.put(ROOM, "job", "j1", b"one")
        records.put(ROOM, "job", "j2", b"two")
        records.put(ROOM, "job", "j2", None)
        records.put(ROOM, "suggestion", "s1", b"else")
        records.put(OTHER, "job", "j3", b"elsewhere")
        assert await records.read(ROOM, "job") == {"j1": b"one"}
        store.let.set()


async def test_a_newer_value_that_comes_while_the_older_is_stored_is_stored_after_it() -> None:
    store = SlowStore()
    store.let.clear()
    async with records_of(store) as records:
        records.put(ROOM, "job", "j1", b"old")
        await asyncio.sleep(0)
        records.put(ROOM, "job", "j1", b"new")
        store.let.set()
        await records.flush(ROOM)
        assert store.puts == [b"old", b"new"]
        assert await store.records(ROOM, "job") == {"j1": b"new"}


async def test_a_store_that_refuses_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.records.RETRY_SECONDS", 0.001)
    store = MemoryStore()
    async with records_of(store) as records:
        store.break_down(StoreUnavailable("The disk is full."))
        records.put(ROOM, "job", "j1", b"one")
        with pytest.raises(StoreUnavailable, match="1 records"):
            await records.flush(ROOM, timeout=0.05)
        store.repair()
        await records.flush(ROOM)
        assert await store.records(ROOM, "job") == {"j1": b"one"}


async def test_what_waits_at_the_end_is_stored() -> None:
    store = SlowStore()
    store.let.clear()
    async with records_of(store) as records:
        records.put(ROOM, "job", "j1", b"one")
        await asyncio.sleep(0)
        records.put(ROOM, "job", "j2", b"two")
        store.let.set()
    assert await store.records(ROOM, "job") == {"j1": b"one", "j2": b"two"}


async def test_records_of_a_room_that_is_forgotten_are_dropped() -> None:
    store = SlowStore()
    async with records_of(store) as records:
        records.put(ROOM, "job", "j1", b"one")
        records.forget(ROOM)
        await records.flush(ROOM)
        assert store.puts == []


def test_owners_are_the_same_after_they_were_stored() -> None:
    owners = {ClientId(1): PersonId("Ann"), ClientId(2**53 - 1): PersonId("Bob 👋")}
    assert read_owners({KEY: write_owners(owners)}) == owners
    assert read_owners({}) == {}


@pytest.mark.parametrize("raw", [b"", b"\xff", b"\xc1", b"\x93\x01\x02\x03", b"\x81\xa1a\xa1b"])
def test_owners_that_cannot_be_read_are_reported_as_corrupt(raw: bytes) -> None:
    with pytest.raises(StoreCorrupt) as caught:
        read_owners({KEY: raw})
    assert isinstance(caught.value, StoreError)
