"""Several nodes that serve the same rooms, each with a hub of its own, over the twin of the shared store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

import pytest

from collab.editor import Editor
from collab.errors import KeepLost, TryLater
from collab.ids import ClientId, ConnectionId, JobId, PersonId, RoomId
from collab.io.clock import SystemClock
from collab.limits import Limits
from collab.origin import ImportOrigin, JobOrigin
from collab.ports import LogEntry, Store
from collab.presence import Holder
from collab.room import Member
from collab.shared import Bus, SharedStore
from collab.shared_memory import PerfectNetwork, SharedMemory
from collab.wire import AwarenessEntry
from generation.events import ContextReady
from server.cluster import Cluster
from server.host import RoomHost
from server.hub import Hub
from tests.collab.replicas import FILE, Replica

ROOM = RoomId("room")
ANN = ImportOrigin(PersonId("Ann"))


@dataclass
class Node:
    cluster: Cluster
    hub: Hub


class Nodes:
    """A world and the nodes in it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.world = SharedMemory(SystemClock(), Random(1), PerfectNetwork(loop.call_soon), remembered=1000)
        self.stack = AsyncExitStack()
        self.count = 0

    def lose(self, last: int) -> None:
        """The store comes back as it was when the room had so many entries."""
        while self.world.room(ROOM).last > last:
            assert self.world.lose(1)

    async def start(self) -> Node:
        self.count += 1
        node = self.make(self.count)
        await self.stack.enter_async_context(node.hub.running())
        return node

    def make(self, seed: int) -> Node:
        @asynccontextmanager
        async def open_shared(writer: str) -> AsyncIterator[tuple[SharedStore, Bus]]:
            yield self.world.store(writer), self.world.bus(writer)

        async def open_store() -> Store:
            raise AssertionError("a cluster brings its own store")

        random = Random(seed)
        cluster = Cluster(open_shared, SystemClock(), random, f"node-{seed}")
        hub = Hub(open_store, Limits(), SystemClock(), random, 0.0, cluster)
        return Node(cluster, hub)


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    nodes = Nodes()
    async with nodes.stack:
        yield nodes


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - many things make it true
            await asyncio.sleep(0.001)


def write(host: RoomHost, text: str) -> None:
    host.change(lambda editor: editor.create(FILE, "a.txt", text), ANN)


def append(host: RoomHost, text: str) -> None:
    def change(editor: Editor) -> None:
        end = len(host.document.text(FILE))
        editor.splice(FILE, end, end, text)

    host.change(change, ANN)


def text_of(host: RoomHost) -> str:
    return host.document.text(FILE) if FILE in host.document.listing().files else ""


@asynccontextmanager
async def both(nodes: Nodes) -> AsyncIterator[tuple[RoomHost, RoomHost, Node, Node]]:
    one, two = await nodes.start(), await nodes.start()
    async with one.hub.held(ROOM) as first, two.hub.held(ROOM) as second:
        await until(lambda: first.urgent and second.urgent)
        yield first, second, one, two


async def test_an_edit_on_one_node_is_on_the_other(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, _, _):
        write(first, "hello")
        await until(lambda: text_of(second) == "hello")
        append(second, " world")
        await until(lambda: text_of(first) == "hello world")


async def test_a_node_that_comes_later_has_all(nodes: Nodes) -> None:
    one = await nodes.start()
    async with one.hub.held(ROOM) as first:
        write(first, "early")
        await first.durable()
        two = await nodes.start()
        async with two.hub.held(ROOM) as second:
            assert text_of(second) == "early"
            append(first, " and late")
            await until(lambda: text_of(second) == "early and late")


async def test_people_of_one_node_are_seen_on_the_other_and_go_with_their_connection(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, _, _):
        holder = Holder(ConnectionId("c1"))
        entry = AwarenessEntry(ClientId(7), 1, b'{"user":{"name":"Ann"}}')
        first.state.presence.receive(holder, [entry], 0.0)
        first.schedule()
        await until(lambda: [view.name for view in second.people()] == ["Ann"])
        first.state.presence.leave(holder, 0.0)
        first.schedule()
        await until(lambda: second.people() == [])


async def test_who_was_there_before_a_node_came_is_seen_there(nodes: Nodes) -> None:
    one = await nodes.start()
    async with one.hub.held(ROOM) as first:
        first.set_presence(ClientId(9), {"user": {"name": "bot", "kind": "job"}})
        two = await nodes.start()
        async with two.hub.held(ROOM) as second:
            await until(lambda: [view.kind for view in second.people()] == ["job"])


async def test_events_of_jobs_are_heard_on_the_other_node(nodes: Nodes) -> None:
    async with both(nodes) as (first, _, _, two):
        heard: list[object] = []
        two.cluster.serve(
            answer=lambda _, payload: asyncio.sleep(0, payload),
            lost=lambda _: None,
            overheard=lambda room, event: heard.append((room, event)),
            restored=lambda _: None,
        )
        event = ContextReady("j1", ("a.txt",), 12)
        first.announce(event)
        await until(lambda: heard == [(ROOM, event)])


async def test_a_question_is_answered_by_the_node_that_is_asked(nodes: Nodes) -> None:
    one, two = await nodes.start(), await nodes.start()

    async def answer(node: str, payload: bytes) -> bytes:
        if payload == b"bad":
            raise TryLater("Not now.")
        return payload + b"!" + node.encode()

    two.cluster.serve(answer, lambda _: None, lambda _, __: None, lambda _: None)
    assert await one.cluster.ask(two.cluster.node, b"hi", 2.0) == b"hi!" + one.cluster.node.encode()
    with pytest.raises(TryLater, match="Not now"):
        await one.cluster.ask(two.cluster.node, b"bad", 2.0)


async def test_one_node_keeps_the_jobs_and_only_it_may_write_for_them(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, one, two):
        kept = await one.cluster.claim(ROOM)
        assert kept.node == one.cluster.node
        assert (await two.cluster.claim(ROOM)).node == one.cluster.node
        job = JobOrigin(JobId("j1"), PersonId("Ann"))
        first.change(lambda editor: editor.create(FILE, "a.txt", "by a job"), job)
        assert first.may_generate()
        assert not second.may_generate()
        with pytest.raises(KeepLost):
            second.change(lambda editor: editor.splice(FILE, 0, 0, "late"), job)
        await one.cluster.unclaim(ROOM)
        assert (await two.cluster.claim(ROOM)).node == two.cluster.node


async def test_the_list_of_rooms_counts_and_names_all_nodes(nodes: Nodes) -> None:
    async with both(nodes) as (first, _, one, two):
        write(first, "x")
        await first.durable()
        (row,) = await two.hub.rooms()
        assert row.room == ROOM
        await until(lambda: one.cluster.live(two.cluster.node) and two.cluster.live(one.cluster.node))
        (row,) = await two.hub.rooms()
        assert row.nodes == ("node-1", "node-2")
        assert row.log_entries == 1


async def test_a_room_that_one_node_deletes_is_gone_on_the_other(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, one, _):
        forgotten: list[RoomId] = []
        write(first, "x")
        await until(lambda: text_of(second) == "x")
        _.hub.on_deleted(forgotten.append)
        await one.hub.delete(ROOM)
        await until(lambda: second.retired)
        assert forgotten == [ROOM]


async def test_a_room_that_is_deleted_can_be_made_anew(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, one, two):
        write(first, "x")
        await until(lambda: text_of(second) == "x")
        await one.hub.delete(ROOM)
        await until(lambda: second.retired)
        async with two.hub.held(ROOM) as again:
            assert text_of(again) == ""
            write(again, "new")
            await again.durable()


async def test_without_the_store_rooms_in_memory_go_on_and_others_say_so(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, one, _):
        write(first, "x")
        await until(lambda: text_of(second) == "x")
        nodes.world.away()
        append(first, "y")
        append(second, "z")
        await until(lambda: not first.saving and not second.saving)
        with pytest.raises(TryLater, match=r"cannot be opened at the moment\..*Try again later"):
            await one.hub.acquire(RoomId("other"))
        assert text_of(first) == "xy"
        nodes.world.back()
        await until(lambda: first.saving and second.saving)
        await until(lambda: text_of(first) == text_of(second) and len(text_of(first)) == 3)


@pytest.mark.parametrize("loss", ["empty", "older"])
async def test_a_store_that_comes_back_with_less_gets_it_back(nodes: Nodes, loss: str) -> None:
    async with both(nodes) as (first, second, _, _):
        write(first, "x")
        await until(lambda: text_of(second) == "x")
        append(first, "y")
        await until(lambda: text_of(second) == "xy")
        await second.durable()
        nodes.world.away()
        if loss == "empty":
            nodes.world.wipe()
        else:
            nodes.lose(1)
        append(first, "1")
        nodes.world.back()
        append(second, "2")
        await until(lambda: text_of(first) == text_of(second) and len(text_of(first)) == 4)
        await first.durable()
        await second.durable()
        third = await nodes.start()
        async with third.hub.held(ROOM) as late:
            await until(lambda: text_of(late) == text_of(first))


async def test_a_deletion_that_waits_for_what_it_deletes_is_brought_back_too(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, _, _):
        write(first, "x")
        await until(lambda: text_of(second) == "x")
        client = Replica(7)
        client.apply(first.document.encode())
        typed, deleted = client.insert(1, "gone"), client.delete(1, 5)
        for host in (first, second):
            host.follow([LogEntry(0, 0, ANN, deleted)])
            host.flush()
        nodes.world.away()
        nodes.world.wipe()
        nodes.world.back()
        append(first, "!")
        await until(lambda: text_of(second) == "x!")
        await first.durable()
        third = await nodes.start()
        async with third.hub.held(ROOM) as late:
            await until(lambda: text_of(late) == "x!")
            await until(lambda: bool(late.state.waiting))
            late.follow([LogEntry(0, 0, ANN, typed)])
            late.flush()
            assert text_of(late) == "x!"


async def test_what_is_written_after_a_loss_and_a_reload_is_stored(nodes: Nodes) -> None:
    one = await nodes.start()
    async with one.hub.held(ROOM) as host:
        write(host, "x")
        for letter in "yz":
            await host.durable()
            append(host, letter)
        await host.durable()
        nodes.world.away()
        nodes.lose(1)
        nodes.world.back()
        await until(lambda: nodes.world.room(ROOM).last == 2)
    await one.hub._evict(host)
    async with one.hub.held(ROOM) as again:
        assert again is not host
        append(again, "!")
        await again.durable()
    two = await nodes.start()
    async with two.hub.held(ROOM) as other:
        assert text_of(other) == "xyz!"


async def test_a_dead_node_s_people_vanish(nodes: Nodes) -> None:
    one = await nodes.start()
    other = nodes.make(99)
    async with one.hub.held(ROOM) as first:
        async with other.hub.running(), other.hub.held(ROOM) as second:
            second.set_presence(ClientId(9), {"user": {"name": "bot"}})
            await until(lambda: len(first.people()) == 1)
        await until(lambda: first.people() == [])
        assert not first.urgent


async def test_what_a_job_writes_is_shown_once_it_is_stored(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, one, _):
        shown: list[bytes] = []
        member = Member(Holder(ConnectionId("c1")), PersonId("Ann"), "Ann")
        first.audience.flowing[member] = shown.append
        await one.cluster.claim(ROOM)
        write(first, "x")
        await first.durable()
        shown.clear()
        nodes.world.away()
        job = JobOrigin(JobId("j1"), PersonId("Ann"))
        first.change(lambda editor: editor.splice(FILE, 0, 0, "by a job "), job)
        assert text_of(first) == "by a job x"
        await until(lambda: not first.saving)
        assert shown == []
        nodes.world.back()
        await until(lambda: len(shown) == 1)
        await until(lambda: text_of(second) == "by a job x")
