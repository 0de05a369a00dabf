"""A Redis server for each test that asks for it, and stores on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from tests.redis_process import RedisProcess


@pytest.fixture
async def redis(redis_server: Path, tmp_path: Path) -> AsyncIterator[RedisProcess]:
    async with RedisProcess(redis_server, tmp_path) as process:
        yield process


@pytest.fixture
async def link(redis: RedisProcess) -> AsyncIterator[RedisLink]:
    link = await RedisLink.open(redis.url)
    yield link
    await link.aclose()


@pytest.fixture
def store(link: RedisLink) -> RedisStore:
    return RedisStore(link, writer="a")


@pytest.fixture
def other(link: RedisLink) -> RedisStore:
    return RedisStore(link, writer="b")
