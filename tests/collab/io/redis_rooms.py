"""What the tests of the store in Redis do with it."""

from __future__ import annotations

import asyncio
from typing import Any

from collab.ids import ConnectionId, PersonId, RoomId
from collab.io.redis_store import RedisStore
from collab.origin import PersonOrigin
from collab.ports import LogEntry
from collab.shared import Commit, Committed, Mark
from tests.redis_process import RedisProcess

ANNA = PersonOrigin(PersonId("p1"), ConnectionId("c1"))
ROOM = RoomId("team/project")
KEY = "pairloom:{team/project}"


def entry(number: int, update: bytes = b"update") -> LogEntry:
    return LogEntry(number, 1_700_000_000_000 + number, ANNA, update)


async def commit(store: RedisStore, *numbers: int, mark: Mark | None = None) -> Committed:
    (done,) = await store.commit([Commit(ROOM, mark or Mark(), tuple(entry(number) for number in numbers))])
    return done


async def command(redis: RedisProcess, *words: str | bytes | int) -> Any:
    return await asyncio.to_thread(redis.run, *words)


async def keys(redis: RedisProcess) -> list[bytes]:
    return sorted(await command(redis, "KEYS", "*"))
