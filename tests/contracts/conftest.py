"""What the tests of shared stores run on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from collab.shared import SharedStore
from tests.contracts.shared_worlds import (
    MemoryWorld,
    RedisWorld,
    World,
)
from tests.redis_process import RedisCluster, RedisProcess


@pytest.fixture(scope="session")
def cluster(redis_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """One for all tests: it takes two seconds to start."""
    server = RedisCluster(redis_server, tmp_path_factory.mktemp("cluster"))
    yield server
    if server.running:
        asyncio.run(server.kill())


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis", marks=pytest.mark.integration),
        pytest.param("cluster", marks=pytest.mark.integration),
    ]
)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield MemoryWorld()
        elif request.param == "redis":
            redis = RedisProcess(request.getfixturevalue("redis_server"), tmp_path)
            yield RedisWorld(await stack.enter_async_context(redis), stack)
        else:
            server: RedisCluster = request.getfixturevalue("cluster")
            if not server.running:
                await server.start()
            found = RedisWorld(server, stack)
            await found.wipe()
            yield found


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.integration)])
async def forgetful(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world that can go back to what it was."""
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield MemoryWorld()
        else:
            redis = RedisProcess(request.getfixturevalue("redis_server"), tmp_path)
            yield RedisWorld(await stack.enter_async_context(redis), stack)


@pytest.fixture
async def a(world: World) -> SharedStore:
    return await world.store("a")


@pytest.fixture
async def b(world: World) -> SharedStore:
    return await world.store("b")
