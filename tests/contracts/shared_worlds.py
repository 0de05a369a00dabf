"""What several processes share in the tests of shared stores, and what those tests do with a store."""

from __future__ import annotations

import asyncio
import random
import shutil
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from collab.errors import StoreUnavailable
from collab.ids import ConnectionId, PersonId, RoomId
from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from collab.origin import PersonOrigin
from collab.ports import LogEntry
from collab.shared import Commit, Committed, Mark, SharedStore
from collab.shared_memory import SharedMemory
from tests.redis_process import RedisProcess

ANNA = PersonOrigin(PersonId("p1"), ConnectionId("c1"))
ROOM = RoomId("team/project")
OTHER = RoomId("other")


class World(ABC):
    """What several processes share in a test."""

    @abstractmethod
    async def store(self, writer: str) -> SharedStore:
        """A process's store."""

    @abstractmethod
    async def wipe(self) -> None:
        """It forgets everything."""

    @abstractmethod
    async def remember(self) -> None:
        """It writes all to its disk."""

    @abstractmethod
    async def go_back(self, room: RoomId, position: int) -> None:
        """It loses what came after ``remember``, when this was the room's last position."""

    @abstractmethod
    async def pass_seconds(self, seconds: float) -> None:
        """Its clock goes on."""


class FakeClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        return int(self.now * 1000)


class MemoryWorld(World):
    def __init__(self) -> None:
        self._clock = FakeClock()
        self._memory = SharedMemory(self._clock, random.Random(1), remembered=1000)

    async def store(self, writer: str) -> SharedStore:
        return self._memory.store(writer)

    async def wipe(self) -> None:
        self._memory.wipe()

    async def remember(self) -> None:
        """It remembers all that it does."""

    async def go_back(self, room: RoomId, position: int) -> None:
        reader = self._memory.store("reader")
        while (await reader.snapshot(room)).mark.position != position:
            assert self._memory.lose(1) == 1

    async def pass_seconds(self, seconds: float) -> None:
        self._clock.now += seconds


class RedisWorld(World):
    def __init__(self, redis: RedisProcess, stack: AsyncExitStack) -> None:
        self.redis = redis
        self._stack = stack

    async def store(self, writer: str) -> SharedStore:
        link = await RedisLink.open(self.redis.url)
        self._stack.push_async_callback(link.aclose)
        return RedisStore(link, writer=writer)

    async def wipe(self) -> None:
        await asyncio.to_thread(self.redis.run, "FLUSHALL")

    async def remember(self) -> None:
        await asyncio.to_thread(self.redis.run, "SAVE")
        shutil.copy(self.redis.directory / "dump.rdb", self.redis.directory / "older.rdb")

    async def go_back(self, room: RoomId, position: int) -> None:
        await self.redis.kill()
        shutil.copy(self.redis.directory / "older.rdb", self.redis.directory / "dump.rdb")
        await self.redis.start()

    async def pass_seconds(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def entry(number: int, update: bytes = b"update", fence: int = 0) -> LogEntry:
    return LogEntry(number, 1_700_000_000_000 + number, ANNA, update, fence)


def entries(*numbers: int) -> tuple[LogEntry, ...]:
    return tuple(entry(number, f"u{number}".encode()) for number in numbers)


async def commit(store: SharedStore, mark: Mark, *numbers: int, room: RoomId = ROOM) -> Committed:
    return await commit_entries(store, mark, *entries(*numbers), room=room)


async def commit_entries(store: SharedStore, mark: Mark, *new: LogEntry, room: RoomId = ROOM) -> Committed:
    (done,) = await store.commit([Commit(room, mark, new)])
    return done


async def mark_of(store: SharedStore, room: RoomId = ROOM) -> Mark:
    return (await store.snapshot(room)).mark


async def stamps(store: SharedStore, room: RoomId = ROOM) -> list[tuple[str, int]]:
    (tail,) = await store.tails([(room, Mark((await mark_of(store, room)).log))])
    assert tail.same is True
    return [(one.stamp.writer, one.stamp.number) for one in tail.entries]


async def eventually(ask: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                if await ask():
                    return
            except StoreUnavailable:
                pass
            await asyncio.sleep(0.01)


async def reached(store: SharedStore) -> bool:
    await store.rooms()
    return True
