"""What every bus between nodes must do. Runs on each adapter of ``collab.shared.Bus``, the twin included."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgpack
import pytest

from collab.ids import ConnectionId, NodeId, PersonId, RoomId
from collab.io import redis_wire
from collab.io.clock import SystemClock
from collab.io.redis_bus import RedisBus
from collab.io.redis_link import RedisLink
from collab.origin import PersonOrigin
from collab.ports import LogEntry
from collab.shared import Bus, SharedEntry, Stamp
from collab.shared_memory import SharedMemory
from tests.collab.bus_listener import Heard
from tests.contracts.redis_servers import Servers, servers
from tests.redis_process import RedisCluster, RedisProcess

PREFIX = "test:"
ROOM = RoomId("team/project")
OTHER = RoomId("other")
ORIGIN = PersonOrigin(PersonId("p1"), ConnectionId("c1"))

Announce = Callable[[str, RoomId, str, int, list[bytes]], Awaitable[None]]


class World:
    """What the nodes of a test share. ``announce`` does what a store does after a commit."""

    def __init__(self, make: Callable[[str], Awaitable[Bus]], announce: Announce, stack: AsyncExitStack) -> None:
        self.make = make
        self._stack = stack
        self.announce = announce

    async def join(self, writer: str) -> tuple[Bus, Heard]:
        """A running bus of a process of its own, whose node is ``<writer>.0``, and its listener."""
        bus = await self.make(writer)
        heard = Heard()
        await self._stack.enter_async_context(bus.running(NodeId(f"{writer}.0"), heard))
        return bus, heard


@pytest.fixture(scope="module")
def shared(redis_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(redis_server, tmp_path_factory.mktemp("redis")) as each:
        yield each


@pytest.fixture(params=["memory", "redis", "cluster"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield memory_world(stack)
            return
        each: Servers = request.getfixturevalue("shared")
        yield redis_world(stack, await each.empty(request.param))


def memory_world(stack: AsyncExitStack) -> World:
    shared = SharedMemory(SystemClock(), random.Random(1))

    async def make(writer: str) -> Bus:
        return shared.bus(writer)

    async def announce(writer: str, room: RoomId, log: str, first: int, updates: list[bytes]) -> None:
        for bus in shared.others(writer):
            bus.entries(writer, room, log, shared_entries(writer, first, updates))

    return World(make, announce, stack)


def redis_world(stack: AsyncExitStack, server: RedisProcess) -> World:
    async def make(writer: str) -> Bus:
        link = await RedisLink.open(server.url)
        stack.push_async_callback(link.aclose)
        return RedisBus(link, PREFIX, writer)

    async def announce(writer: str, room: RoomId, log: str, first: int, updates: list[bytes]) -> None:
        packed = [redis_wire.pack_entry(writer, one.entry) for one in shared_entries(writer, first, updates)]
        data = msgpack.packb((b"e", log, first, writer, packed))
        command = "SPUBLISH" if isinstance(server, RedisCluster) else "PUBLISH"
        await asyncio.to_thread(server.run, command, redis_wire.base(PREFIX, room), data)

    return World(make, announce, stack)


def shared_entries(writer: str, first: int, updates: list[bytes]) -> tuple[SharedEntry, ...]:
    return tuple(
        SharedEntry(LogEntry(seq, 1_700_000_000_000, ORIGIN, update), Stamp(writer, seq))
        for seq, update in enumerate(updates, first)
    )


async def test_what_is_published_in_a_room_reaches_the_others_in_it(world: World) -> None:
    a, _ = await world.join("a")
    b, heard = await world.join("b")
    await b.subscribe(ROOM)
    a.publish(ROOM, b"hello")
    await heard.until(lambda: bool(heard.messages))
    assert heard.messages == [(ROOM, NodeId("a.0"), b"hello")]


async def test_messages_arrive_in_the_order_of_their_publishing(world: World) -> None:
    a, _ = await world.join("a")
    b, heard = await world.join("b")
    await b.subscribe(ROOM)
    sent = [f"m{number}".encode() for number in range(500)]
    for number, payload in enumerate(sent):
        a.publish(ROOM, payload)
        if number % 50 == 0:
            await asyncio.sleep(0)
    await heard.until(lambda: len(heard.messages) == len(sent))
    assert [payload for _, _, payload in heard.messages] == sent


async def test_a_room_that_is_not_subscribed_to_is_not_heard(world: World) -> None:
    a, _ = await world.join("a")
    b, heard = await world.join("b")
    await b.subscribe(ROOM)
    a.publish(OTHER, b"elsewhere")
    a.publish(ROOM, b"here")
    await heard.until(lambda: bool(heard.messages))
    assert [room for room, _, _ in heard.messages] == [ROOM]


async def test_nothing_comes_after_unsubscribing(world: World) -> None:
    a, _ = await world.join("a")
    b, heard = await world.join("b")
    await b.subscribe(ROOM)
    await b.subscribe(OTHER)
    await b.unsubscribe(ROOM)
    a.publish(ROOM, b"too late")
    a.publish(OTHER, b"heard")
    await heard.until(lambda: bool(heard.messages))
    assert heard.messages == [(OTHER, NodeId("a.0"), b"heard")]


async def test_a_room_can_be_subscribed_to_again_at_once(world: World) -> None:
    a, _ = await world.join("a")
    b, heard = await world.join("b")
    for _ in range(5):
        await b.subscribe(ROOM)
        await b.unsubscribe(ROOM)
    await b.subscribe(ROOM)
    a.publish(ROOM, b"hello")
    await heard.until(lambda: bool(heard.messages))
    assert heard.all == ["message"]


async def test_many_subscriptions_at_once_are_all_there(world: World) -> None:
    a, _ = await world.join("a")
    b, heard = await world.join("b")
    rooms = [RoomId(f"room-{number}") for number in range(300)]
    await asyncio.gather(*(b.subscribe(room) for room in rooms))
    for room in rooms:
        a.publish(room, room.encode())
    await heard.until(lambda: len(heard.messages) == len(rooms))
    assert {room for room, _, _ in heard.messages} == set(rooms)


async def test_a_node_does_not_hear_itself(world: World) -> None:
    a, own = await world.join("a")
    b, heard = await world.join("b")
    await a.subscribe(ROOM)
    await b.subscribe(ROOM)
    a.publish(ROOM, b"mine")
    await heard.until(lambda: bool(heard.messages))
    b.publish(ROOM, b"the other's")
    await own.until(lambda: bool(own.messages))
    assert own.messages == [(ROOM, NodeId("b.0"), b"the other's")]


async def test_the_entries_of_another_writer_arrive_with_their_places(world: World) -> None:
    await world.join("a")
    b, heard = await world.join("b")
    await b.subscribe(ROOM)
    await world.announce("a", ROOM, "log-1", 7, [b"one", b"two"])
    await heard.until(lambda: bool(heard.updates))
    assert heard.updates == [(ROOM, "log-1", 7, b"one"), (ROOM, "log-1", 8, b"two")]


async def test_a_writer_does_not_hear_of_its_own_entries(world: World) -> None:
    a, own = await world.join("a")
    await world.join("b")
    await a.subscribe(ROOM)
    await world.announce("a", ROOM, "log-1", 1, [b"mine"])
    await world.announce("b", ROOM, "log-1", 2, [b"the other's"])
    await own.until(lambda: bool(own.updates))
    assert own.updates == [(ROOM, "log-1", 2, b"the other's")]


async def test_what_is_sent_to_a_node_reaches_that_node_only(world: World) -> None:
    a, _ = await world.join("a")
    _, heard = await world.join("b")
    c, third = await world.join("c")
    a.send(NodeId("b.0"), b"for b")
    await heard.until(lambda: bool(heard.directs))
    c.send(NodeId("b.0"), b"from c")
    await heard.until(lambda: len(heard.directs) == 2)
    assert heard.directs == [(NodeId("a.0"), b"for b"), (NodeId("c.0"), b"from c")]
    assert third.all == []


async def test_a_renamed_node_is_reached_by_its_new_name_and_speaks_under_it(world: World) -> None:
    a, heard_a = await world.join("a")
    b, heard = await world.join("b")
    b.rename(NodeId("b.1"))
    # The new inbox is there once a subscription made after it is.
    await b.subscribe(ROOM)
    a.send(NodeId("b.0"), b"for the old one")
    a.send(NodeId("b.1"), b"for the new one")
    await heard.until(lambda: bool(heard.directs))
    assert heard.directs == [(NodeId("a.0"), b"for the new one")]
    b.send(NodeId("a.0"), b"hello")
    await heard_a.until(lambda: bool(heard_a.directs))
    assert heard_a.directs == [(NodeId("b.1"), b"hello")]


async def test_what_is_published_just_before_a_bus_ends_is_heard(world: World) -> None:
    a = await world.make("a")
    b, heard = await world.join("b")
    await b.subscribe(ROOM)
    async with a.running(NodeId("a.0"), Heard()):
        a.publish(ROOM, b"goodbye")
    await heard.until(lambda: bool(heard.messages))
    assert heard.messages == [(ROOM, NodeId("a.0"), b"goodbye")]


async def test_what_fails_inside_comes_out_as_it_is(world: World) -> None:
    a = await world.make("a")
    with pytest.raises(ValueError, match="inside"):
        async with a.running(NodeId("a.0"), Heard()):
            raise ValueError("inside")
