"""Rooms of a process: loaded once, evicted when idle, deleted for good, never written over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from collab.editor import Editor
from collab.errors import StoreCorrupt, StoreUnavailable, TryLater
from collab.ids import ConnectionId, PersonId, RoomId
from collab.limits import Limits
from collab.memory import MemoryStore
from collab.origin import ImportOrigin, PersonOrigin
from collab.ports import LogEntry, Store, StoredRoom
from server.hub import Hub
from tests.collab.replicas import FILE, HandClock

ROOM, OTHER = RoomId("room"), RoomId("other")
ORIGIN = ImportOrigin(PersonId("Ann"))


class SlowStore(MemoryStore):
    """Loads and deletes only when it is let; counts loads."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.let.set()
        self.let_delete = asyncio.Event()
        self.let_delete.set()
        self.loads: list[RoomId] = []
        self.appended: list[int] = []

    async def load(self, room: RoomId, *, aside: bool = False) -> StoredRoom:
        self.loads.append(room)
        await self.let.wait()
        return await super().load(room, aside=aside)

    async def delete(self, room: RoomId) -> None:
        await self.let_delete.wait()
        await super().delete(room)

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        self.appended.append(len(entries))
        await super().append(entries)


@asynccontextmanager
async def hub_of(store: MemoryStore, **limits: Any) -> AsyncIterator[Hub]:
    async def open_store() -> Store:
        return store

    hub = Hub(open_store, Limits(**limits), HandClock(), Random(1), commit_interval=0.0)
    async with hub.running():
        yield hub


def create(text: str) -> Callable[[Editor], None]:
    return lambda editor: editor.create(FILE, "a.txt", text)


async def test_a_room_is_loaded_once_however_many_ask() -> None:
    store = SlowStore()
    store.let.clear()
    async with hub_of(store) as hub:
        asking = [asyncio.create_task(hub.acquire(ROOM)) for _ in range(50)]
        while not store.loads:  # noqa: ASYNC110 - until one of them loads
            await asyncio.sleep(0)
        store.let.set()
        hosts = set(await asyncio.gather(*asking))
        assert len(hosts) == 1
        assert store.loads == [ROOM]
        for host in hosts:
            assert host.held == 50


async def test_when_the_one_who_loads_goes_away_the_next_one_loads() -> None:
    store = SlowStore()
    store.let.clear()
    async with hub_of(store) as hub:
        first = asyncio.create_task(hub.acquire(ROOM))
        while not store.loads:  # noqa: ASYNC110 - until it loads
            await asyncio.sleep(0)
        others = [asyncio.create_task(hub.acquire(ROOM)) for _ in range(5)]
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        store.let.set()
        assert len(set(await asyncio.gather(*others))) == 1
        assert store.loads == [ROOM, ROOM]


async def test_all_who_wait_are_told_why_a_room_cannot_be_loaded() -> None:
    store = SlowStore()
    origin = PersonOrigin(PersonId("Ann"), ConnectionId("c1"))
    await store.append([(ROOM, LogEntry(1, 0, origin, b"\x01\x01\x02\x03garbage"))])
    store.let.clear()
    async with hub_of(store) as hub:
        asking = [asyncio.create_task(hub.acquire(ROOM)) for _ in range(3)]
        await asyncio.sleep(0)
        store.let.set()
        results = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(result) for result in results] == [StoreCorrupt] * 3
        assert "restore a backup" in str(results[0])
        assert len((await store.load(ROOM)).entries) == 1


async def test_edits_are_stored_and_there_after_a_restart() -> None:
    store = MemoryStore()
    async with hub_of(store) as hub, hub.held(ROOM) as host:
        host.change(create("kept"), ORIGIN)
        await host.durable()
        assert len((await store.load(ROOM)).entries) == 1
    store.reopen()
    async with hub_of(store) as hub, hub.held(ROOM) as host:
        assert host.document.text(FILE) == "kept"


async def test_what_was_not_stored_yet_is_stored_at_the_end() -> None:
    store = MemoryStore()
    async with hub_of(store) as hub, hub.held(ROOM) as host:
        host.change(create("last words"), ORIGIN)
        host.put_record("job", "j1", b"record")
    store.reopen()
    assert len((await store.load(ROOM)).entries) == 1
    assert await store.records(ROOM, "job") == {"j1": b"record"}


async def test_the_idlest_room_makes_place_for_another() -> None:
    store = SlowStore()
    async with hub_of(store, open_rooms=1) as hub:
        async with hub.held(ROOM) as host:
            host.change(create("stored first"), ORIGIN)
        async with hub.held(OTHER):
            assert [row.room for row in await hub.rooms() if row.connections or row.room == OTHER] == [OTHER]
        async with hub.held(ROOM) as again:
            assert again is not host
            assert again.document.text(FILE) == "stored first"


async def test_more_rooms_than_may_be_open_are_told_to_try_later() -> None:
    async with hub_of(MemoryStore(), open_rooms=1) as hub, hub.held(ROOM):
        with pytest.raises(TryLater, match="open_rooms"):
            await hub.acquire(OTHER)


async def test_a_room_that_cannot_be_saved_is_not_unloaded() -> None:
    store = MemoryStore()
    async with hub_of(store, open_rooms=1) as hub:
        async with hub.held(ROOM) as host:
            store.break_down(StoreUnavailable("The disk is full."))
            host.change(create("unsaved"), ORIGIN)
            while hub.failing is None:  # noqa: ASYNC110 - until the writer has found out
                await asyncio.sleep(0)
        with pytest.raises(TryLater):
            await hub.acquire(OTHER)
        async with hub.held(ROOM) as again:
            assert again is host
            assert not again.saving
            assert again.not_saved_reason == "The disk is full."
            store.repair()
            await again.durable()
            assert again.saving


async def test_a_room_asked_for_while_two_others_are_loaded_is_never_a_retired_one() -> None:
    store = SlowStore()
    async with hub_of(store, open_rooms=2) as hub:
        store.let.clear()
        asking = [asyncio.create_task(hub.acquire(RoomId(f"r{n % 2}"))) for n in range(6)]
        await asyncio.sleep(0)
        store.let.set()
        hosts = await asyncio.gather(*asking)
        assert len(set(hosts)) == 2
        assert not any(host.retired for host in hosts)


# Deleting


async def test_a_deleted_room_is_empty_and_can_be_used_again() -> None:
    store = MemoryStore()
    async with hub_of(store) as hub:
        async with hub.held(ROOM) as host:
            host.change(create("old"), ORIGIN)
        await hub.delete(ROOM)
        assert await hub.rooms() == []
        async with hub.held(ROOM) as again:
            assert again.document.listing().files == {}
            again.change(create("new"), ORIGIN)
            await again.durable()
        assert hub.failing is None


async def test_an_edit_of_somebody_who_still_holds_a_deleted_room_stops_nobody_from_saving() -> None:
    store = MemoryStore()
    async with hub_of(store) as hub, hub.held(ROOM) as host, hub.held(OTHER) as other:
        host.change(create("old"), ORIGIN)
        await host.durable()
        await hub.delete(ROOM)
        host.change(lambda editor: editor.splice(FILE, 0, 0, "late "), ORIGIN)
        host.put_record("job", "j1", b"late")
        other.change(create("fine"), ORIGIN)
        await other.durable()
        assert hub.failing is None
        assert [row.room for row in await store.rooms()] == [OTHER]


async def test_a_room_that_is_being_deleted_is_loaded_only_afterwards() -> None:
    store = SlowStore()
    async with hub_of(store) as hub:
        async with hub.held(ROOM) as host:
            host.change(create("old"), ORIGIN)
            await host.durable()
        store.let_delete.clear()
        deleting = asyncio.create_task(hub.delete(ROOM))
        await asyncio.sleep(0)
        asking = asyncio.create_task(hub.acquire(ROOM))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not asking.done()
        store.let_delete.set()
        await deleting
        assert (await asking).document.listing().files == {}


async def test_a_room_that_is_being_loaded_is_deleted_only_afterwards() -> None:
    store = SlowStore()
    store.let.clear()
    async with hub_of(store) as hub:
        asking = asyncio.create_task(hub.acquire(ROOM))
        await asyncio.sleep(0)
        deleting = asyncio.create_task(hub.delete(ROOM))
        store.let.set()
        host = await asking
        await deleting
        assert host.retired


# Connections


async def test_connections_are_counted_and_bounded() -> None:
    async with hub_of(MemoryStore(), connections=2) as hub:
        hub.admit()
        hub.admit()
        with pytest.raises(TryLater, match="connections"):
            hub.admit()
        hub.dismiss()
        hub.admit()


async def test_a_hub_that_does_not_run_says_so() -> None:
    async def open_store() -> Store:
        return MemoryStore()

    hub = Hub(open_store, Limits(), HandClock(), Random(1), commit_interval=0.0)
    with pytest.raises(TryLater, match="starting"):
        await hub.rooms()


async def test_a_room_that_costs_more_to_load_again_stays_longer() -> None:
    async with hub_of(MemoryStore()) as hub, hub.held(ROOM) as host, hub.held(RoomId("small")) as small:
        host.change(create("x" * 500_000), ORIGIN)
        assert 1 <= hub._patience(small) < 2
        assert 6 <= hub._patience(host) < 7


async def test_no_idle_room_stays_longer_than_the_limit() -> None:
    async with hub_of(MemoryStore(), idle_room_seconds=3) as hub, hub.held(ROOM) as host:
        host.change(create("x" * 500_000), ORIGIN)
        assert hub._patience(host) == 3
