"""Records of rooms on their way to the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import pytest

from collab.errors import StoreCorrupt, StoreError, StoreFenced, StoreUnavailable
from collab.ids import ClientId, PersonId, RoomId
from collab.io.clock import SystemClock
from collab.io.writer import Writer
from collab.memory import MemoryStore
from collab.origin import RestoreOrigin
from collab.ports import LogEntry
from generation.book import OPEN
from server.owners import KEY, read_owners, write_owners
from server.records import Records, RecordsFirst

ROOM, OTHER = RoomId("room"), RoomId("other")


class SlowStore(MemoryStore):
    """Stores a record only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.let.set()
        self.puts: list[bytes | None] = []

    async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
        await self.let.wait()
        self.puts.append(value)
        await super().put_record(room, kind, key, value, fence)


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


class LateStore(SlowStore):
    """What it reads comes when it is let, as it was when it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def records(self, room: RoomId, kind: str) -> dict[str, bytes]:
        found = dict(await super().records(room, kind))
        self.asked.set()
        await self.answer.wait()
        return found


async def test_a_read_has_what_was_stored_while_it_was_under_way() -> None:
    store = LateStore()
    async with records_of(store) as records:
        records.put(ROOM, "job", "j1", b"one")
        records.put(ROOM, "job", "j2", b"old")
        read = asyncio.create_task(records.read(ROOM, "job"))
        await store.asked.wait()
        records.put(ROOM, "job", "j2", b"new")
        records.put(ROOM, "job", "j3", b"three")
        records.put(ROOM, "job", "j3", None)
        records.put(ROOM, "job", "j4", b"four")
        await records.flush(ROOM)
        store.answer.set()
        assert await read == {"j1": b"one", "j2": b"new", "j4": b"four"}


async def test_a_read_has_nothing_of_a_room_that_was_deleted_meanwhile() -> None:
    store = LateStore()
    store.let.clear()
    async with records_of(store) as records:
        records.put(ROOM, "job", "j1", b"one")
        read = asyncio.create_task(records.read(ROOM, "job"))
        await store.asked.wait()
        records.forget(ROOM)
        store.answer.set()
        assert await read == {}
        store.let.set()


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


# In the order in which another node could go on from


class Witness(MemoryStore):
    """Notes what is stored in which order; entries only when they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.order: list[str] = []

    async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
        await super().put_record(room, kind, key, value, fence)
        self.order.append(f"{kind} {'forgotten' if value is None else value.decode()}")

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        await self.let.wait()
        await super().append(entries)
        self.order += [f"entry {entry.seq}" for _, entry in entries]


@asynccontextmanager
async def ordered(store: Witness) -> AsyncIterator[Records]:
    def ignore(*_: object) -> None:
        pass

    first = RecordsFirst(store)
    writer = Writer(
        first, SystemClock(), Random(1), on_durable=ignore, on_not_saved=ignore, on_saved_again=lambda: None
    )
    async with writer:
        records = first.records = Records(store, writer, ordered=True)
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(records.run())
            try:
                yield records
                await records.flush(ROOM)
            finally:
                work.cancel()


async def test_what_tells_of_an_entry_ahead_is_stored_before_it_and_what_comes_after_it_after_it() -> None:
    store = Witness()
    store.let.set()
    async with ordered(store) as records:
        records.put(ROOM, OPEN, "j1.0", b"ahead")
        records.write(ROOM, LogEntry(1, 0, RestoreOrigin(), b"x"))
        records.put(ROOM, "ledger", "j1", b"after")
        records.put(ROOM, OPEN, "j1.0", None)
    assert store.order == ["open_hunk ahead", "entry 1", "ledger after", "open_hunk forgotten"]


async def test_nothing_that_came_after_an_entry_is_stored_while_the_entry_is_not() -> None:
    store = Witness()
    async with ordered(store) as records:
        records.write(ROOM, LogEntry(1, 0, RestoreOrigin(), b"x"))
        records.put(ROOM, "ledger", "j1", b"after")
        records.put(ROOM, OPEN, "j1.0", b"ahead")
        while not store.order:  # noqa: ASYNC110 - until the first thing is stored
            await asyncio.sleep(0)
        assert store.order == ["open_hunk ahead"]
        store.let.set()
    assert store.order == ["open_hunk ahead", "entry 1", "ledger after"]


async def test_what_waits_under_an_older_fence_is_not_read_as_if_it_were_stored() -> None:
    store = SlowStore()
    store.let.clear()
    async with records_of(store) as records:
        records.put(ROOM, "job", "j1", b"old", 3)
        assert await records.read(ROOM, "job", 3) == {"j1": b"old"}
        assert await records.read(ROOM, "job", 4) == {}
        store.let.set()


async def test_a_record_that_the_store_fences_off_is_dropped() -> None:
    class Fenced(MemoryStore):
        async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
            if fence == 1:
                raise StoreFenced("Another node has taken over.")
            await super().put_record(room, kind, key, value, fence)

    store = Fenced()
    async with records_of(store) as records:
        records.put(ROOM, "job", "late", b"x", 1)
        records.put(ROOM, "job", "new", b"y", 2)
        await records.flush(ROOM)
        assert await store.records(ROOM, "job") == {"new": b"y"}
