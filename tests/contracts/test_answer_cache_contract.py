"""What every cache of answers must do. Runs on each adapter of ``AnswerCache``, the twin included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from collab.ids import RoomId
from collab.io.redis_link import RedisLink
from generation.cache import ANSWER_BYTES, AnswerCache, CacheBounds, CachedAnswer, MemoryAnswers
from generation.io.redis_answers import RedisAnswers
from tests.contracts.redis_servers import Servers, servers
from tests.generation.fakes import ManualClock

ROOM = RoomId("team/project")
OTHER = RoomId("team/other")
LASTS = 2.0
"""Seconds: a third of it is more than a command takes on a machine that others use."""


@dataclass
class Caches:
    """A cache as two processes see it, and a way to let time pass."""

    make: Callable[[CacheBounds], tuple[AnswerCache, AnswerCache]]
    wait: Callable[[float], Awaitable[None]]


@pytest.fixture(scope="module")
def shared(redis_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(redis_server, tmp_path_factory.mktemp("redis")) as each:
        yield each


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis", marks=pytest.mark.integration),
        pytest.param("cluster", marks=pytest.mark.integration),
    ]
)
async def caches(request: pytest.FixtureRequest) -> AsyncIterator[Caches]:
    if request.param == "memory":
        clock = ManualClock()

        def twin(bounds: CacheBounds) -> tuple[AnswerCache, AnswerCache]:
            made = MemoryAnswers(clock, bounds)
            return made, made

        async def pass_by(seconds: float) -> None:
            clock.now += seconds

        yield Caches(twin, pass_by)
        return
    each: Servers = request.getfixturevalue("shared")
    server = await each.empty(request.param)
    links = [await RedisLink.open(server.url) for _ in range(2)]

    def both(bounds: CacheBounds) -> tuple[AnswerCache, AnswerCache]:
        first, second = (RedisAnswers(link, "test:", bounds) for link in links)
        return first, second

    yield Caches(both, asyncio.sleep)
    for link in links:
        await link.aclose()


def answer(text: str = "x = 1\n") -> CachedAnswer:
    return CachedAnswer(text, "model", 1_700_000_000_000)


async def kept(cache: AnswerCache, *keys: str, room: RoomId = ROOM) -> list[str]:
    return [key for key in keys if await cache.get(room, key) is not None]


async def test_what_was_put_is_found_by_every_process(caches: Caches) -> None:
    first, second = caches.make(CacheBounds())
    assert await first.get(ROOM, "k") is None
    said = answer("héllo \U0001f9f5\n\0\\")
    await first.put(ROOM, "k", said)
    assert await second.get(ROOM, "k") == said


async def test_the_newest_answer_of_a_key_counts(caches: Caches) -> None:
    cache, _ = caches.make(CacheBounds(entries=2))
    await cache.put(ROOM, "k", answer("old"))
    await cache.put(ROOM, "k", answer("new"))
    await cache.put(ROOM, "other", answer())
    assert await cache.get(ROOM, "k") == answer("new")


async def test_another_room_has_answers_of_its_own(caches: Caches) -> None:
    cache, _ = caches.make(CacheBounds())
    await cache.put(ROOM, "k", answer())
    assert await cache.get(OTHER, "k") is None


async def test_an_answer_is_not_kept_for_longer_than_it_may(caches: Caches) -> None:
    cache, _ = caches.make(CacheBounds(seconds=LASTS))
    await cache.put(ROOM, "k", answer())
    await caches.wait(LASTS / 3)
    assert await kept(cache, "k") == ["k"]
    # To use it does not make it last longer.
    await caches.wait(LASTS)
    assert await kept(cache, "k") == []


async def test_a_put_beside_it_does_not_make_an_answer_last_longer(caches: Caches) -> None:
    cache, _ = caches.make(CacheBounds(seconds=LASTS))
    await cache.put(ROOM, "k", answer())
    await caches.wait(LASTS * 0.8)
    await cache.put(ROOM, "later", answer())
    await caches.wait(LASTS * 0.3)
    assert await kept(cache, "k", "later") == ["later"]


async def test_the_one_that_was_not_used_for_longest_goes_first(caches: Caches) -> None:
    first, second = caches.make(CacheBounds(entries=3))
    for key in ("a", "b", "c"):
        await first.put(ROOM, key, answer())
    await second.get(ROOM, "a")
    await first.put(ROOM, "d", answer())
    assert await kept(first, "a", "b", "c", "d") == ["a", "c", "d"]


async def test_all_answers_together_have_a_bound(caches: Caches) -> None:
    size = len(answer("x" * 1000).to_bytes())
    cache, _ = caches.make(CacheBounds(total_bytes=3 * size))
    for key in ("a", "b", "c", "d"):
        await cache.put(ROOM, key, answer("x" * 1000))
    await cache.put(ROOM, "d", answer("y" * 1000))
    assert await kept(cache, "a", "b", "c", "d") == ["b", "c", "d"]


async def test_an_answer_that_is_too_long_is_not_kept(caches: Caches) -> None:
    cache, _ = caches.make(CacheBounds())
    await cache.put(ROOM, "k", answer("x" * ANSWER_BYTES))
    assert await kept(cache, "k") == []


async def test_what_a_deleted_room_had_is_forgotten(caches: Caches) -> None:
    first, second = caches.make(CacheBounds())
    for room in (ROOM, OTHER):
        await first.put(room, "k", answer())
    await second.forget(ROOM)
    assert await kept(first, "k") == []
    assert await kept(first, "k", room=OTHER) == ["k"]


async def test_one_of_all_processes_asks_ahead(caches: Caches) -> None:
    first, second = caches.make(CacheBounds())
    assert await first.claim(ROOM, "k", LASTS)
    assert not await second.claim(ROOM, "k", LASTS)
    assert await second.claim(ROOM, "other", LASTS)
    assert await second.claim(OTHER, "k", LASTS)
    await caches.wait(LASTS * 1.2)
    assert await second.claim(ROOM, "k", LASTS)
