"""Files written over HTTP at one node, on top of what was read at another, and undone from there."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.e2e.serving import Server
from tests.redis_process import RedisProcess

pytestmark = pytest.mark.integration

BASE = "".join(f"line {number}\n" for number in range(1, 10))
ROOM = "/api/rooms/demo"


@pytest.fixture
async def nodes(tmp_path: Path, redis_server: Path) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(RedisProcess(redis_server, tmp_path))
        clients = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            server = Server(folder, {"PAIRLOOM_REDIS_URL": redis.url, "PAIRLOOM_NODE_NAME": name})
            await server.start()
            stack.push_async_callback(server.kill)
            clients.append(await stack.enter_async_context(httpx.AsyncClient(base_url=server.address, timeout=30)))
        one, two = clients
        yield one, two


def archive(**files: str) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as packed:
        for name, text in files.items():
            packed.writestr(f"{name}.txt", text)
    return output.getvalue()


async def shows(node: httpx.AsyncClient, text: str) -> None:
    """Returns when a node has the file like this; other nodes' edits take a moment."""
    async with asyncio.timeout(20):
        while (await node.get(f"{ROOM}/files/a.txt")).text != text:
            pass


async def test_a_put_at_a_node_that_is_not_the_keeper_is_merged_noted_and_undone_from_the_other(
    nodes: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    one, two = nodes
    # The first to note something keeps the room's jobs.
    made = await one.put(f"{ROOM}/files/a.txt", content=BASE.encode())
    assert made.status_code == 201
    read = await one.get(f"{ROOM}/files/a.txt")
    typed = BASE.replace("line 8", "line 8, typed")
    await one.put(f"{ROOM}/files/a.txt", content=typed.encode(), headers={"If-Match": read.headers["etag"]})
    await shows(two, typed)
    # The version was read at the other node.
    theirs = BASE.replace("line 2", "LINE 2").replace("line 8", "LINE 8")
    put = await two.put(f"{ROOM}/files/a.txt", content=theirs.encode(), headers={"If-Match": read.headers["etag"]})
    assert put.status_code == 200, put.text
    answer = put.json()
    assert answer["merged"] is True
    merged = typed.replace("line 2", "LINE 2").replace("line 8,", "LINE 8,")
    for node in nodes:
        await shows(node, merged)
        jobs = (await node.get(f"{ROOM}/jobs")).json()["jobs"]
        assert jobs[0]["job"] == answer["change"]
    undone = await one.post(f"{ROOM}/jobs/{answer['change']}/undo")
    assert undone.status_code == 200, undone.text
    await shows(two, typed)
    assert (await two.post(f"{ROOM}/jobs/{answer['change']}/redo")).status_code == 200
    await shows(two, merged)


async def test_an_import_goes_on_from_one_at_another_node(
    nodes: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    one, two = nodes
    assert (await one.post(f"{ROOM}/import", content=archive(a=BASE))).status_code == 200
    read = await one.get(f"{ROOM}/files/a.txt")
    typed = BASE.replace("line 8", "row 8")
    await one.put(f"{ROOM}/files/a.txt", content=typed.encode(), headers={"If-Match": read.headers["etag"]})
    await shows(two, typed)
    theirs = BASE.replace("line 2", "LINE 2").replace("line 8", "LINE 8")
    answer = (await two.post(f"{ROOM}/import", content=archive(a=theirs, b="new\n"))).json()
    assert answer["merged"] == ["a.txt"]
    assert answer["created"] == ["b.txt"]
    assert [conflict["theirs"] for conflict in answer["conflicts"]] == ["LINE 8\n"]
    asked = (await one.get(f"{ROOM}/suggestions")).json()["suggestions"]
    assert [row["suggestion"] for row in asked] == [row["suggestion"] for row in answer["conflicts"]]
    assert asked[0]["anchor"] is not None
    assert (await one.post(f"{ROOM}/jobs/{answer['change']}/undo")).status_code == 200
    await shows(one, typed)
    assert (await one.get(f"{ROOM}/files/b.txt")).status_code == 404
