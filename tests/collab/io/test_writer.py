"""The writer: entries handed over in the event loop become durable, whatever the store does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import pytest

from collab.errors import StoreError, StoreUnavailable
from collab.ids import RoomId
from collab.io.writer import Writer
from collab.memory import MemoryStore
from collab.origin import RestoreOrigin
from collab.ports import LogEntry

A, B = RoomId("a"), RoomId("b")
FULL = StoreUnavailable("The disk is full: free some space.")


class SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Held(MemoryStore):
    """A store whose appends wait until they are let through."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.started = asyncio.Event()
        self.batches: list[list[tuple[RoomId, int]]] = []

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        self.batches.append([(room, one.seq) for room, one in entries])
        self.started.set()
        await self.gate.wait()
        await super().append(entries)


class Told:
    """What a writer has said."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.changed = asyncio.Event()

    def durable(self, room: RoomId, seq: int) -> None:
        self._add((room, seq))

    def not_saved(self, reason: StoreError) -> None:
        self._add(reason)

    def saved_again(self) -> None:
        self._add("saved again")

    def _add(self, what: object) -> None:
        self.said.append(what)
        self.changed.set()

    async def wait_for(self, what: object) -> None:
        async with asyncio.timeout(10):
            while what not in self.said:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def told() -> Told:
    return Told()


def make(store: MemoryStore, told: Told, **settings: float) -> Writer:
    return Writer(
        store,
        SystemClock(),
        Random(1),
        on_durable=told.durable,
        on_not_saved=told.not_saved,
        on_saved_again=told.saved_again,
        interval=settings.get("interval", 0.001),
        close_timeout=settings.get("close_timeout", 5),
    )


def entry(seq: int, update: bytes = b"update") -> LogEntry:
    return LogEntry(seq, 0, RestoreOrigin(), update)


async def stored(store: MemoryStore, room: RoomId) -> list[int]:
    return [one.seq for one in (await store.load(room)).entries]


async def test_what_is_written_is_stored_and_told(told: Told) -> None:
    store = MemoryStore()
    async with make(store, told) as writer:
        writer.write(A, entry(1))
        writer.write(A, entry(2))
        writer.write(B, entry(1))
        assert writer.backlog_bytes == 18
        await told.wait_for((B, 1))
        assert told.said == [(A, 2), (B, 1)]
        assert writer.backlog_bytes == 0
    assert await stored(store, A) == [1, 2]


async def test_one_turn_is_one_commit_and_a_running_commit_gathers_the_next(told: Told) -> None:
    store = Held()
    async with make(store, told) as writer:
        for seq in (1, 2, 3):
            writer.write(A, entry(seq))
        await store.started.wait()
        writer.write(A, entry(4))
        writer.write(B, entry(1))
        assert told.said == []
        store.gate.set()
        await writer.flush()
    assert store.batches == [[(A, 1), (A, 2), (A, 3)], [(A, 4), (B, 1)]]


async def test_leaving_stores_everything(told: Told) -> None:
    store = MemoryStore()
    async with make(store, told, interval=3600) as writer:
        writer.write(A, entry(1))
        await writer.flush()
        writer.write(A, entry(2))
    assert await stored(store, A) == [1, 2]


async def test_nothing_is_taken_after_the_end(told: Told) -> None:
    async with make(MemoryStore(), told) as writer:
        pass
    with pytest.raises(StoreError, match="entry 1 of room 'a' is not stored"):
        writer.write(A, entry(1))
    await writer.close()


async def test_a_full_disk_is_told_once_and_all_is_stored_in_order_afterwards(told: Told) -> None:
    store = MemoryStore()
    store.break_down(FULL)
    async with make(store, told) as writer:
        writer.write(A, entry(1))
        await told.wait_for(FULL)
        assert writer.failing == FULL
        writer.write(A, entry(2))
        with pytest.raises(
            StoreUnavailable, match=r"12 bytes of edits are not stored after 0.05 s. The disk is full"
        ):
            await writer.flush(timeout=0.05)
        assert await stored(store, A) == []
        store.repair()
        await writer.flush()
        assert writer.backlog_bytes == 0
    assert told.said == [FULL, "saved again", (A, 1), (A, 2)]
    assert await stored(store, A) == [1, 2]


async def test_a_store_with_a_bug_loses_nothing(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    class Buggy(MemoryStore):
        bugs = 1

        async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
            if self.bugs:
                self.bugs -= 1
                raise ZeroDivisionError
            await super().append(entries)

    store = Buggy()
    async with make(store, told) as writer:
        writer.write(A, entry(1))
        await writer.flush()
    assert await stored(store, A) == [1]
    assert "ZeroDivisionError" in caplog.text


async def test_a_callback_with_a_bug_stops_nothing(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    writer = Writer(
        store,
        SystemClock(),
        Random(1),
        on_durable=lambda room, seq: [].pop() if room == A else told.durable(room, seq),
        on_not_saved=told.not_saved,
        on_saved_again=told.saved_again,
    )
    with caplog.at_level(logging.ERROR):
        async with writer:
            writer.write(A, entry(1))
            writer.write(B, entry(1))
            await told.wait_for((B, 1))
    assert "a callback of the writer failed" in caplog.text


async def test_flush_of_a_room_waits_for_that_room_only(told: Told) -> None:
    store = Held()
    async with make(store, told) as writer:
        await writer.flush(timeout=0.01)
        writer.write(A, entry(1))
        await store.started.wait()
        await writer.flush(B, timeout=0.01)
        with pytest.raises(StoreUnavailable, match="has not answered"):
            await writer.flush(A, timeout=0.01)
        store.gate.set()
        await writer.flush(A)
        assert told.said == [(A, 1)]


async def test_flush_waits_for_what_came_before_it_only(told: Told) -> None:
    store = Held()
    async with make(store, told, interval=0.05) as writer:
        writer.write(A, entry(1))
        await store.started.wait()
        flushing = asyncio.create_task(writer.flush())
        await asyncio.sleep(0)
        writer.write(A, entry(2))
        store.gate.set()
        await flushing
        assert told.said == [(A, 1)]


async def after_replace(writer: Writer) -> int:
    return writer.replace(A, [entry(0, b"all")])


async def after_forget(writer: Writer) -> int:
    writer.forget(A)
    return 0


@pytest.mark.parametrize(("change", "numbers"), [(after_replace, [1, 2]), (after_forget, [])])
async def test_a_flush_ends_when_its_backlog_is_replaced_or_forgotten(
    told: Told, change: Callable[[Writer], Awaitable[int]], numbers: list[int]
) -> None:
    store = MemoryStore()
    store.break_down(FULL)
    async with make(store, told) as writer:
        writer.write(A, entry(1))
        await told.wait_for(FULL)
        for seq in (2, 3, 4):
            writer.write(A, entry(seq))
        flushing = asyncio.create_task(writer.flush())
        await asyncio.sleep(0)
        assert await change(writer) == (numbers or [0])[-1]
        store.repair()
        await flushing
        assert writer.backlog_bytes == writer.backlog_of(A) == 0
    assert await stored(store, A) == numbers


async def test_leaving_with_a_full_disk_says_what_is_lost(told: Told) -> None:
    store = MemoryStore()
    store.break_down(FULL)
    with pytest.raises(StoreUnavailable, match="6 bytes of edits are not stored"):
        async with make(store, told, close_timeout=0.05) as writer:
            writer.write(A, entry(1))


async def test_many_rooms_at_once_are_stored_completely(told: Told) -> None:
    store = MemoryStore()
    rooms = [RoomId(f"room-{number}") for number in range(20)]
    async with make(store, told) as writer:

        async def type_in(room: RoomId) -> None:
            for seq in range(1, 51):
                writer.write(room, entry(seq))
                if seq % 7 == 0:
                    await asyncio.sleep(0)

        await asyncio.gather(*(type_in(room) for room in rooms))
        await writer.flush()
        assert {(room, 50) for room in rooms} <= set(told.said)
    assert all([await stored(store, room) == list(range(1, 51)) for room in rooms])
