"""A room's history on two servers over Redis: saved on one, read, restored and undone on the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.redis_process import RedisProcess
from tests.server.running import joined, running
from tests.server.test_history_served import causes, http, put, wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
async def redis(redis_server: Path, tmp_path: Path) -> AsyncIterator[RedisProcess]:
    async with RedisProcess(redis_server, tmp_path) as redis:
        yield redis


async def texts(client: httpx.AsyncClient, expected: str) -> None:
    """Until the file has this text."""
    async with asyncio.timeout(20):
        while (await client.get("/files/a.txt")).text != expected:  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.02)


async def test_two_servers_share_a_rooms_history(redis: RedisProcess, tmp_path: Path) -> None:
    large = "".join(f"{number * number}\n" for number in range(3_000))
    url = {"redis_url": redis.url, "data_dir": tmp_path}
    async with running(**url) as one, running(**url) as two, http(one) as here, http(two) as there:  # type: ignore[arg-type]
        await put(here, "a.txt", large)
        saved = (await here.post("/versions?name=Ann", json={"name": "mine"})).json()["version"]
        assert (await there.get("/versions")).json()["versions"][0] == saved
        assert (await there.get("/versions/mine/files/a.txt")).text == large
        async with joined(two, 11) as person:
            await person.edit(person.replica.insert(0, "typed\n", file=_file(await there.get("/files"))))
            await texts(here, "typed\n" + large)
        restored = (await there.post("/versions/mine/restore?name=Ben", json={})).json()
        await texts(here, large)
        await texts(there, large)
        (await here.post(f"/jobs/{restored['change']}/undo")).raise_for_status()
        await texts(there, "typed\n" + large)
        assert (await causes(here))[-3:] == ["restore", "work", "named"]
    async with running(**url) as one, http(one) as here:  # type: ignore[arg-type]
        assert (await here.get("/versions/mine/files/a.txt")).text == large
        await put(here, "a.txt", "after")
        again = (await here.post("/versions", json={"name": "again"})).json()["version"]
        assert again["number"] > saved["number"]
        assert (await here.get("/compare?from=mine&to=again")).json()["files"][0]["path"] == "a.txt"


def _file(response: httpx.Response) -> str:
    return str(response.json()["files"][0]["file"])


async def test_the_last_person_of_all_nodes_leaves_a_version(redis: RedisProcess, tmp_path: Path) -> None:
    url = {"redis_url": redis.url, "data_dir": tmp_path}
    async with running(**url) as one, running(**url) as two, http(one) as here:  # type: ignore[arg-type]
        async with joined(one, 11) as first:
            await first.show()
            async with joined(two, 12) as other:
                await other.show()
                await other.edit(other.replica.create("a.txt", "typed"))
                await first.until(lambda: first.text() == "typed")
            await first.until(lambda: 12 not in first.here)
        await wait_for(here, ["work"])
