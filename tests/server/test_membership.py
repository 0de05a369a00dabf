"""Who is on a room's list, when goodbyes are lost on the bus and in the store; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from random import Random
from typing import NoReturn, TypeVar

import pytest

from collab.errors import StoreUnavailable, TryLater
from collab.ids import ClientId, ConnectionId, NodeId, RoomId
from collab.limits import Limits
from collab.ports import Store
from collab.presence import Holder
from collab.shared import Bus, SharedStore
from collab.shared_memory import PerfectNetwork, SharedMemory
from collab.wire import AwarenessEntry
from server.cluster import Cluster
from server.host import RoomHost
from server.hub import Hub
from server.membership import CHECK_SECONDS, SHOW_SECONDS
from tests.simulation.recording import WorldClock
from tests.simulation.virtual_loop import VirtualLoop, run

T = TypeVar("T")
ROOM = RoomId("room")
ANN = ClientId(7)
MENDED_SECONDS = 3 * CHECK_SECONDS
LOADED_SECONDS = 3.0
"""Longer than an idle room stays."""


class BadNetwork(PerfectNetwork):
    """Fails where a test says so."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(loop.call_soon)
        self.refused: set[tuple[str, str]] = set()
        """Writers and commands that do not get through."""
        self.held: dict[tuple[str, str], asyncio.Event] = {}
        """Writers and commands that come as late as this."""
        self.mute: set[str] = set()
        """Writers of whom nobody hears anything."""

    async def reach(self, writer: str, what: str, operation: Callable[[], T]) -> T:
        if (until := self.held.get((writer, what))) is not None:
            await until.wait()
        if (writer, what) in self.refused:
            return await super().reach(writer, what, _unreachable)
        return await super().reach(writer, what, operation)

    def carry(self, source: str, target: str, kind: str, deliver: Callable[[], None]) -> None:
        if source not in self.mute:
            super().carry(source, target, kind, deliver)


def _unreachable() -> NoReturn:
    raise StoreUnavailable("Nothing gets through.")


class Node:
    """A process of the cluster."""

    def __init__(self, cluster: Cluster, hub: Hub) -> None:
        self.cluster = cluster
        self.hub = hub

    @property
    def writer(self) -> str:
        return self.cluster.node.rpartition(".")[0]


class Nodes:
    """A world and the nodes in it."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.clock = WorldClock(loop)
        self.network = BadNetwork(loop)
        self.world = SharedMemory(self.clock, Random(1), self.network)
        self.stack = AsyncExitStack()
        self.count = 0

    async def start(self) -> Node:
        @asynccontextmanager
        async def open_shared(writer: str) -> AsyncIterator[tuple[SharedStore, Bus]]:
            yield self.world.store(writer), self.world.bus(writer)

        async def open_store() -> Store:
            raise AssertionError("a cluster brings its own store")

        self.count += 1
        random = Random(self.count)
        cluster = Cluster(open_shared, self.clock, random, f"node-{self.count}")
        node = Node(cluster, Hub(open_store, Limits(), self.clock, random, 0.0, cluster))
        await self.stack.enter_async_context(node.hub.running())
        return node

    def listed(self) -> set[NodeId]:
        return set(self.world.room(ROOM).nodes)

    def list_also(self, node: Node) -> None:
        """The store comes back with an older list, on which the node was."""
        known = self.world.room(ROOM)
        self.world.put(ROOM, replace(known, nodes=(*known.nodes, node.cluster.node)))

    def lose_goodbyes(self, node: Node) -> None:
        """What the node says and writes when it leaves is lost."""
        self.network.mute.add(node.writer)
        self.network.refused.add((node.writer, "leave"))

    def heal(self) -> None:
        self.network.mute.clear()
        self.network.refused.clear()


def virtual(scenario: Callable[[Nodes], Coroutine[None, None, None]]) -> None:
    """Lives through a scenario, however long it takes, at once."""
    loop = VirtualLoop()

    async def within() -> None:
        nodes = Nodes(loop)
        async with nodes.stack:
            await scenario(nodes)

    run(loop, within())
    assert loop.failures == []


async def until(condition: Callable[[], bool], seconds: float = MENDED_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - many things make it true
            await asyncio.sleep(0.01)


def arrive(host: RoomHost, name: str = "c1", clock: int = 1) -> Holder:
    """Ann comes over a connection."""
    holder = Holder(ConnectionId(name))
    renew(host, holder, clock)
    return holder


def renew(host: RoomHost, holder: Holder, clock: int) -> None:
    """Ann's client says that she is still there."""
    now = host._clock.monotonic()
    host.state.presence.receive(holder, [AwarenessEntry(ANN, clock, b'{"user":{"name":"Ann"}}')], now)
    host.schedule()


def depart(host: RoomHost, holder: Holder) -> None:
    host.state.presence.leave(holder, host._clock.monotonic())
    host.schedule()


def people(host: RoomHost) -> list[str]:
    return [view.name for view in host.people()]


async def unloaded(node: Node) -> None:
    await until(lambda: ROOM not in node.hub._hosts and ROOM not in node.hub._closing)


def test_a_node_whose_goodbyes_were_all_lost_leaves_the_list_and_takes_its_people_along() -> None:
    async def scenario(nodes: Nodes) -> None:
        one, two = await nodes.start(), await nodes.start()
        async with one.hub.held(ROOM) as first:
            async with two.hub.held(ROOM) as second:
                holder = arrive(second)
                await until(lambda: people(first) == ["Ann"])
                nodes.lose_goodbyes(two)
                depart(second, holder)
            await unloaded(two)
            assert people(first) == ["Ann"]
            assert two.cluster.node in nodes.listed()
            nodes.heal()
            await until(lambda: people(first) == [] and nodes.listed() == {one.cluster.node})
            assert not first.urgent

    virtual(scenario)


def test_somebody_whose_old_node_left_unheard_is_shown_over_the_new_one() -> None:
    async def scenario(nodes: Nodes) -> None:
        one, two, three = await nodes.start(), await nodes.start(), await nodes.start()
        async with one.hub.held(ROOM) as first, three.hub.held(ROOM) as third:
            async with two.hub.held(ROOM) as second:
                holder = arrive(second)
                await until(lambda: people(first) == people(third) == ["Ann"])
                nodes.lose_goodbyes(two)
                depart(second, holder)
            await unloaded(two)
            arrive(first, "c2", 2)
            assert first.state.presence.holder_of(ANN) is None
            nodes.heal()
            await until(lambda: first.state.presence.holder_of(ANN) == "c2")
            await until(lambda: third.state.presence.nodes() == {one.cluster.node})
            assert people(third) == ["Ann"]

    virtual(scenario)


def test_a_node_that_could_not_load_a_room_leaves_its_list() -> None:
    async def scenario(nodes: Nodes) -> None:
        one = await nodes.start()
        nodes.network.refused.add((one.writer, "snapshot"))
        with pytest.raises(TryLater):
            await one.hub.acquire(ROOM)
        assert nodes.listed() == {one.cluster.node}
        await until(lambda: nodes.listed() == set())

    virtual(scenario)


def test_a_node_that_is_on_the_list_by_mistake_is_asked_and_leaves_it() -> None:
    async def scenario(nodes: Nodes) -> None:
        one, two = await nodes.start(), await nodes.start()
        async with one.hub.held(ROOM) as first:
            nodes.list_also(two)
            await until(lambda: first.urgent)
            await until(lambda: nodes.listed() == {one.cluster.node} and not first.urgent)

    virtual(scenario)


def test_a_node_that_is_asked_after_somebody_in_a_room_that_it_does_not_hold_says_goodbye() -> None:
    async def scenario(nodes: Nodes) -> None:
        one, two = await nodes.start(), await nodes.start()
        async with one.hub.held(ROOM) as first:
            async with two.hub.held(ROOM) as second:
                arrive(second)
                await until(lambda: people(first) == ["Ann"])
                nodes.network.mute.add(two.writer)
            await unloaded(two)
            nodes.heal()
            holder = Holder(ConnectionId("c2"))
            entry = AwarenessEntry(ANN, 2, b'{"user":{"name":"Ann again"}}')
            for rival in first.state.presence.receive(holder, [entry], nodes.clock.monotonic()):
                first.probe(rival)
            await until(lambda: people(first) == ["Ann again"], 0.5)

    virtual(scenario)


def test_a_silent_node_that_holds_the_room_keeps_its_place_and_its_people() -> None:
    async def scenario(nodes: Nodes) -> None:
        one, two = await nodes.start(), await nodes.start()
        async with one.hub.held(ROOM) as first, two.hub.held(ROOM) as second:
            holder = arrive(second)
            await until(lambda: people(first) == ["Ann"])
            nodes.network.mute |= {one.writer, two.writer}
            for passed in range(60):
                if passed == 30:
                    nodes.heal()
                await asyncio.sleep(1.0)
                renew(second, holder, 2 + passed)
                assert people(first) == ["Ann"]
                assert nodes.listed() == {one.cluster.node, two.cluster.node}

    virtual(scenario)


def test_a_room_that_is_entered_again_before_the_store_could_be_reached_is_not_left() -> None:
    async def scenario(nodes: Nodes) -> None:
        one = await nodes.start()
        nodes.network.refused.add((one.writer, "leave"))
        async with one.hub.held(ROOM):
            pass
        await unloaded(one)
        async with one.hub.held(ROOM):
            nodes.heal()
            for _ in range(100):
                await asyncio.sleep(LOADED_SECONDS / 100)
                assert nodes.listed() == {one.cluster.node}

    virtual(scenario)


def test_a_room_that_is_entered_while_it_is_being_left_is_on_the_list_in_the_end() -> None:
    async def scenario(nodes: Nodes) -> None:
        one = await nodes.start()
        nodes.network.refused.add((one.writer, "leave"))
        async with one.hub.held(ROOM):
            pass
        await unloaded(one)
        late = nodes.network.held[one.writer, "leave"] = asyncio.Event()
        nodes.heal()
        await asyncio.sleep(LOADED_SECONDS)
        async with one.hub.held(ROOM):
            late.set()
            await asyncio.sleep(0.1)
            assert nodes.listed() == {one.cluster.node}

    virtual(scenario)


def test_a_room_that_is_left_while_it_is_being_entered_again_is_off_the_list_in_the_end() -> None:
    async def scenario(nodes: Nodes) -> None:
        one = await nodes.start()
        async with one.hub.held(ROOM):
            late = nodes.network.held[one.writer, "enter"] = asyncio.Event()
            await asyncio.sleep(1.5 * CHECK_SECONDS)
        await unloaded(one)
        assert nodes.listed() == set()
        late.set()
        await until(lambda: nodes.listed() != set(), 0.1)
        await until(lambda: nodes.listed() == set())

    virtual(scenario)


def test_a_node_that_loads_a_room_anew_clears_its_people_of_the_time_before() -> None:
    async def scenario(nodes: Nodes) -> None:
        one, two = await nodes.start(), await nodes.start()
        async with one.hub.held(ROOM) as first:
            async with two.hub.held(ROOM) as second:
                arrive(second)
                await until(lambda: people(first) == ["Ann"])
                nodes.network.mute.add(two.writer)
            await unloaded(two)
            nodes.heal()
            async with two.hub.held(ROOM):
                await until(lambda: people(first) == [], SHOW_SECONDS / 50)

    virtual(scenario)
