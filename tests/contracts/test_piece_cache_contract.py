"""What every cache of what was made of files must do. Runs on each adapter of ``PieceCache``, the twin too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from collab.ids import RoomId
from collab.io.redis_link import RedisLink
from generation.context.shared import PIECE_CHARACTERS, MemoryPieces, PieceCache, key_of
from generation.io.redis_pieces import RedisPieces
from tests.contracts.redis_servers import Servers, servers

ROOM = RoomId("team/project")
OTHER = RoomId("team/other")

Two = tuple[PieceCache, PieceCache]
"""A cache as two processes see it."""


@pytest.fixture(scope="module")
def shared(redis_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(redis_server, tmp_path_factory.mktemp("redis")) as each:
        yield each


@pytest.fixture(params=["redis", "cluster"])
async def links(request: pytest.FixtureRequest, shared: Servers) -> AsyncIterator[list[RedisLink]]:
    server = await shared.empty(request.param)
    links = [await RedisLink.open(server.url) for _ in range(2)]
    yield links
    for link in links:
        await link.aclose()


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis", marks=pytest.mark.integration),
        pytest.param("cluster", marks=pytest.mark.integration),
    ]
)
async def caches(request: pytest.FixtureRequest) -> AsyncIterator[Two]:
    if request.param == "memory":
        twin = MemoryPieces()
        yield twin, twin
        return
    each: Servers = request.getfixturevalue("shared")
    server = await each.empty(request.param)
    first, second = [await RedisLink.open(server.url) for _ in range(2)]
    yield RedisPieces(first, "test:"), RedisPieces(second, "test:")
    for link in (first, second):
        await link.aclose()


async def test_what_one_process_made_another_finds(caches: Two) -> None:
    first, second = caches
    assert await second.get(ROOM, ["a", "b"]) == [None, None]
    await first.put(ROOM, {"a": "def ä():\n", "c": ""})
    assert await second.get(ROOM, ["a", "b", "c"]) == ["def ä():\n", None, ""]
    assert await second.get(ROOM, []) == []


async def test_each_room_has_its_own(caches: Two) -> None:
    first, second = caches
    await first.put(ROOM, {"a": "x"})
    await first.put(OTHER, {"a": "y"})
    assert await second.get(OTHER, ["a"]) == ["y"]
    await second.forget(ROOM)
    assert await first.get(ROOM, ["a"]) == [None]
    assert await first.get(OTHER, ["a"]) == ["y"]


async def test_what_is_too_long_is_not_kept(caches: Two) -> None:
    first, second = caches
    await first.put(ROOM, {"long": "x" * (PIECE_CHARACTERS + 1), "fits": "x" * PIECE_CHARACTERS})
    assert await second.get(ROOM, ["long", "fits"]) == [None, "x" * PIECE_CHARACTERS]
    await first.put(ROOM, {"long": "x" * (PIECE_CHARACTERS + 1)})


@pytest.mark.integration
async def test_a_room_begins_anew_when_it_has_too_many(links: list[RedisLink]) -> None:
    cache = RedisPieces(links[0], "test:", most=3)
    await cache.put(ROOM, {"a": "1", "b": "2", "c": "3"})
    assert await cache.get(ROOM, ["a", "b", "c"]) == ["1", "2", "3"]
    await cache.put(ROOM, {"d": "4"})
    assert await cache.get(ROOM, ["a", "b", "c", "d"]) == [None, None, None, "4"]


@pytest.mark.integration
async def test_a_room_s_pieces_end_by_themselves(links: list[RedisLink]) -> None:
    cache = RedisPieces(links[0], "test:", seconds=0.05)
    await cache.put(ROOM, {"a": "1"})
    async with asyncio.timeout(5):
        while await cache.get(ROOM, ["a"]) != [None]:
            pass


def test_a_key_tells_apart_all_that_a_piece_depends_on() -> None:
    keys = [
        key_of("outline", "a.py", "x"),
        key_of("map", "a.py", "x"),
        key_of("outline", "b.py", "x"),
        key_of("outline", "a.py", "y"),
        key_of("outline", "a.py", "\ud800"),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of("outline", "a.py", "x") == keys[0]
