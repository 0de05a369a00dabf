"""Versions of rooms that several nodes serve: one node makes them, all read them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import pytest

from collab.errors import NotFound
from collab.history.version import KIND
from collab.ids import RoomId
from collab.io.clock import SystemClock
from collab.limits import Limits
from collab.ports import Store
from collab.shared import Bus, SharedStore
from collab.shared_memory import PerfectNetwork, SharedMemory
from server.cluster import Cluster
from server.history.service import History
from server.history.settings import HistorySettings
from server.host import RoomHost
from server.hub import Hub
from tests.server.history.worlds import ANN, ROOM, Doors, begin_job, end_job, read, until, write


class Node:
    """One node; its history looks only when the test says so."""

    def __init__(self, world: SharedMemory, seed: int) -> None:
        @asynccontextmanager
        async def open_shared(writer: str) -> AsyncIterator[tuple[SharedStore, Bus]]:
            yield world.store(writer), world.bus(writer)

        async def open_store() -> Store:
            raise AssertionError("a cluster brings its own store")

        random, clock = Random(seed), SystemClock()
        self.cluster = Cluster(open_shared, clock, random, f"node-{seed}")
        self.hub = Hub(open_store, Limits(), clock, random, 0.0, self.cluster)
        self.doors = Doors()
        self.history = History(self.hub, clock, random, HistorySettings(0.001), self.cluster, self.doors)
        self.hub.on_loaded(self.history.attach)
        self.told: list[object] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Node]:
        async with self.hub.running(), asyncio.TaskGroup() as group:
            self.history._group = group
            try:
                yield self
            finally:
                await self.history.drain()

    async def work(self) -> None:
        """Makes what is due."""
        self.history.look()
        while self.history._work:
            await asyncio.wait(self.history._work)

    async def causes(self) -> list[str]:
        return [version.cause for version in reversed(await self.history.reading.versions(ROOM))]


class Nodes:
    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.world = SharedMemory(SystemClock(), Random(1), PerfectNetwork(loop.call_soon), remembered=1000)
        self.stack = AsyncExitStack()
        self.count = 0

    async def start(self) -> tuple[Node, RoomHost]:
        """A node that has the room."""
        self.count += 1
        node = Node(self.world, self.count)
        await self.stack.enter_async_context(node.running())
        host = await self.stack.enter_async_context(node.hub.held(ROOM))
        host.said = node.told.append  # type: ignore[method-assign,assignment]
        return node, host

    def records(self, kind: str, room: RoomId = ROOM) -> dict[str, bytes]:
        return {key: value for (of, key), value in self.world.room(room).records.items() if of == kind}


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    nodes = Nodes()
    async with nodes.stack:
        yield nodes


async def test_what_one_node_saves_the_other_reads(nodes: Nodes) -> None:
    (one, first), (two, _) = await nodes.start(), await nodes.start()
    write(first, "a.txt", "hello")
    saved = await one.history.save(ROOM, "mine", ANN)
    assert await two.history.reading.versions(ROOM) == [saved]
    assert await two.history.reading.text(ROOM, "mine", "a.txt") == "hello"


async def test_the_keeper_makes_what_another_node_asks_for_with_all_that_was_typed_there(nodes: Nodes) -> None:
    (one, first), (two, second) = await nodes.start(), await nodes.start()
    await one.history.save(ROOM, "first", ANN)
    write(second, "a.txt", "typed at two")
    saved = await two.history.save(ROOM, "second", ANN)
    assert one.cluster.keep(ROOM) is not None
    assert two.cluster.keep(ROOM) is None
    assert await two.history.reading.text(ROOM, "second", "a.txt") == "typed at two"
    assert (saved.number, saved.by) == (2, "Ann")
    assert read(first) == {"a.txt": "typed at two"}


async def test_people_on_all_nodes_are_told_of_a_version(nodes: Nodes) -> None:
    (one, _), (two, second) = await nodes.start(), await nodes.start()
    await until(lambda: second.urgent)
    saved = await two.history.save(ROOM, "mine", ANN)
    await until(lambda: bool(one.told) and bool(two.told))
    assert [message.version for message in one.told + two.told] == [saved, saved]  # type: ignore[attr-defined]


async def test_two_nodes_whose_time_has_come_make_one_version(nodes: Nodes) -> None:
    (one, first), (two, second) = await nodes.start(), await nodes.start()
    write(first, "a.txt", "hello")
    await until(lambda: read(second) == {"a.txt": "hello"})
    await asyncio.gather(one.work(), two.work())
    assert await one.causes() == ["work"]
    assert first.held == second.held == 1


async def test_names_given_at_two_nodes_at_once_are_two_versions(nodes: Nodes) -> None:
    (one, first), (two, second) = await nodes.start(), await nodes.start()
    write(first, "a.txt", "a")
    write(second, "b.txt", "b")
    saved = await asyncio.gather(*(node.history.save(ROOM, f"v{n}", ANN) for n in range(4) for node in (one, two)))
    assert sorted(version.number for version in saved) == list(range(1, 9))
    for version in saved:
        await one.history.reading.files(ROOM, version.version)


async def test_the_keeper_alone_makes_versions_of_jobs(nodes: Nodes) -> None:
    (one, first), _ = await nodes.start(), await nodes.start()
    await one.cluster.claim(ROOM)
    begin_job(first)
    end_job(first)
    await one.work()
    assert await one.causes() == ["job_started", "job_ended"]


async def test_a_node_that_takes_over_goes_on_where_the_last_one_ended(nodes: Nodes) -> None:
    (one, first), (two, second) = await nodes.start(), await nodes.start()
    write(first, "a.txt", "first")
    await one.history.save(ROOM, "first", ANN)
    await one.cluster.unclaim(ROOM)
    write(first, "b.txt", "second")
    await until(lambda: "b.txt" in read(second))
    saved = await two.history.save(ROOM, "second", ANN)
    assert two.cluster.keep(ROOM) is not None
    assert (saved.number, saved.changed) == (2, 1)
    assert await one.history.reading.text(ROOM, "second", "a.txt") == "first"


async def test_what_a_node_writes_that_is_the_keeper_no_more_is_dropped(nodes: Nodes) -> None:
    (one, first), (two, _) = await nodes.start(), await nodes.start()
    await one.history.save(ROOM, "first", ANN)
    before = nodes.records(KIND)
    await one.cluster.unclaim(ROOM)
    await two.cluster.claim(ROOM)
    first.put_record(KIND, "v1", b"late")
    await first.durable()
    assert nodes.records(KIND) == before


async def test_a_restore_asked_for_at_another_node(nodes: Nodes) -> None:
    (one, first), (two, second) = await nodes.start(), await nodes.start()
    write(first, "a.txt", "first")
    await one.history.save(ROOM, "then", ANN)
    await until(lambda: read(second) == {"a.txt": "first"})
    write(second, "a.txt", "second")
    done = await two.history.restore(ROOM, "then", None, ANN)
    assert (done.change, one.doors.titles, two.doors.titles) == ("c1", ["Restored the room to version then."], [])
    await until(lambda: read(second) == {"a.txt": "first"})
    assert await two.causes() == ["named", "work", "restore"]


async def test_an_error_at_the_keeper_is_told_at_the_node_that_asked(nodes: Nodes) -> None:
    (one, _), (two, _) = await nodes.start(), await nodes.start()
    await one.cluster.claim(ROOM)
    with pytest.raises(NotFound, match="no version 'v9'"):
        await two.history.restore(ROOM, "v9", None, ANN)


async def test_a_node_that_stops_takes_no_room_over(nodes: Nodes) -> None:
    (one, first), (two, second) = await nodes.start(), await nodes.start()
    write(first, "a.txt", "hello")
    await until(lambda: read(second) == {"a.txt": "hello"})
    one.history.leave()
    await one.work()
    assert one.cluster.keep(ROOM) is None
    assert first.held == 1
    async with asyncio.timeout(5):
        # A version is due some milliseconds after the work.
        while not await two.causes():
            await two.work()
    assert await two.causes() == ["work"]
