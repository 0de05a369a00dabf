"""What only the twin of the shared store and bus can do: fail as told. The rest is in the contracts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TypeVar

import pytest

from collab.errors import StoreFenced, StoreUnavailable
from collab.ids import ConnectionId, NodeId, PersonId, RoomId
from collab.origin import PersonOrigin
from collab.ports import Checkpoint, LogEntry
from collab.shared import Commit, CommitState, Mark, SharedStore
from collab.shared_memory import PerfectNetwork, SharedMemory
from tests.collab.bus_listener import Heard
from tests.collab.replicas import HandClock

ROOM = RoomId("room")
ANNA = PersonOrigin(PersonId("p1"), ConnectionId("c1"))
T = TypeVar("T")


class Rough(PerfectNetwork):
    """Loses what it is told to lose."""

    def __init__(self) -> None:
        super().__init__()
        self.lose_question = False
        self.lose_answer = False
        self.times = 1

    async def reach(self, writer: str, what: str, operation: Callable[[], T]) -> T:
        if self.lose_question:
            raise StoreUnavailable("The question was lost.")
        result = operation()
        if self.lose_answer:
            raise StoreUnavailable("The answer was lost.")
        return result

    def carry(self, source: str, target: str, kind: str, deliver: Callable[[], None]) -> None:
        for _ in range(self.times):
            super().carry(source, target, kind, deliver)


def entries(*numbers: int, fence: int = 0) -> tuple[LogEntry, ...]:
    return tuple(LogEntry(number, 1, ANNA, f"u{number}".encode(), fence) for number in numbers)


async def commit(store: SharedStore, *numbers: int) -> Mark:
    """Stores entries, whatever is there; the mark after them."""
    mark = (await store.snapshot(ROOM)).mark
    (done,) = await store.commit([Commit(ROOM, mark, entries(*numbers))])
    assert done.state is CommitState.STORED
    return (await store.snapshot(ROOM)).mark


async def updates(store: SharedStore) -> list[bytes]:
    return [entry.update for entry in (await store.load(ROOM)).entries]


@pytest.fixture
def network() -> Rough:
    return Rough()


@pytest.fixture
def world(network: Rough) -> SharedMemory:
    return SharedMemory(HandClock(), Random(1), network, remembered=100)


async def test_a_lost_question_changes_nothing(world: SharedMemory, network: Rough) -> None:
    store = world.store("a")
    network.lose_question = True
    with pytest.raises(StoreUnavailable, match="question"):
        await store.commit([Commit(ROOM, Mark(), entries(1))])
    network.lose_question = False
    assert await updates(store) == []


async def test_a_lost_answer_is_of_something_that_was_done_and_to_ask_again_does_no_harm(
    world: SharedMemory, network: Rough
) -> None:
    store = world.store("a")
    network.lose_answer = True
    with pytest.raises(StoreUnavailable, match="answer"):
        await store.commit([Commit(ROOM, Mark(), entries(1))])
    network.lose_answer = False
    assert await updates(store) == [b"u1"]
    (done,) = await store.commit([Commit(ROOM, Mark(), entries(1))])
    assert (done.state, done.count) == (CommitState.STORED, 0)
    assert await updates(store) == [b"u1"]


async def test_it_comes_back_older_by_as_many_changes_as_told(world: SharedMemory) -> None:
    store = world.store("a")
    early = await commit(store, 1)
    late = await commit(store, 2)
    assert world.lose(1) == 1
    assert await updates(store) == [b"u1"]
    kept, lost = await store.tails([(ROOM, early), (ROOM, late)])
    assert (kept.same, lost.same) == (True, False)


async def test_it_cannot_forget_more_than_it_remembers(world: SharedMemory) -> None:
    store = world.store("a")
    await commit(store, 1)
    assert world.lose(1000) == 1
    assert await updates(store) == []


async def test_it_comes_back_empty(world: SharedMemory) -> None:
    store = world.store("a")
    mark = await commit(store, 1, 2)
    await store.enroll(NodeId("a.0"), b"", 6)
    world.wipe()
    assert await updates(store) == []
    assert await store.renew(NodeId("a.0"), b"", 6) is None
    (tail,) = await store.tails([(ROOM, mark)])
    assert (tail.log, tail.same) == ("", False)


async def test_nobody_reaches_it_while_it_is_away_and_all_are_told_when_it_is_back(world: SharedMemory) -> None:
    store, bus, heard = world.store("a"), world.bus("a"), Heard()
    async with bus.running(NodeId("a.0"), heard):
        await bus.subscribe(ROOM)
        world.away()
        with pytest.raises(StoreUnavailable):
            await store.load(ROOM)
        with pytest.raises(StoreUnavailable):
            await bus.subscribe(ROOM)
        world.back()
        assert heard.all == ["down", "renewed"]
        other = world.bus("b")
        async with other.running(NodeId("b.0"), Heard()):
            other.publish(ROOM, b"hello")
    assert heard.messages == [(ROOM, NodeId("b.0"), b"hello")]


async def test_one_process_can_be_cut_off(world: SharedMemory) -> None:
    a, b = world.store("a"), world.store("b")
    world.cut_off("a")
    with pytest.raises(StoreUnavailable):
        await a.load(ROOM)
    await commit(b, 1)
    world.heal("a")
    assert await updates(a) == [b"u1"]


async def test_what_was_under_way_on_a_lost_connection_is_lost(world: SharedMemory) -> None:
    loop = asyncio.get_running_loop()
    shared = SharedMemory(HandClock(), Random(1), PerfectNetwork(loop.call_soon))
    a, b, heard = shared.bus("a"), shared.bus("b"), Heard()
    async with a.running(NodeId("a.0"), Heard()), b.running(NodeId("b.0"), heard):
        await b.subscribe(ROOM)
        a.publish(ROOM, b"under way")
        shared.away()
        shared.back()
        a.publish(ROOM, b"later")
        await heard.until(lambda: bool(heard.messages))
    assert [payload for _, _, payload in heard.messages] == [b"later"]


async def test_an_announcement_may_come_twice(world: SharedMemory, network: Rough) -> None:
    store, bus, heard = world.store("a"), world.bus("b"), Heard()
    await store.enter([ROOM], NodeId("b.0"))
    network.times = 2
    async with bus.running(NodeId("b.0"), heard):
        await bus.subscribe(ROOM)
        await commit(store, 1)
    assert [(position, update) for _, _, position, update in heard.updates] == [(1, b"u1"), (1, b"u1")]


async def test_a_checkpoint_of_a_log_that_has_lost_what_it_holds_is_refused(world: SharedMemory) -> None:
    a, b = world.store("a"), world.store("b")
    await commit(a, 1, 2)
    async with a.compacting(ROOM) as mine:
        assert mine
        await a.load(ROOM)
        lock = world.room(ROOM).lock
        world.lose(2)
        await commit(b, 1, 2)
        world.put(ROOM, replace(world.room(ROOM), lock=lock))
        with pytest.raises(StoreFenced, match="lost entries"):
            await a.compact(ROOM, Checkpoint(2, b"state"))
    assert await updates(b) == [b"u1", b"u2"]
