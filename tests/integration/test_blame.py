"""Who wrote what, from real servers: on the embedded store after a crash, and on two nodes over Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.e2e.serving import Server
from tests.fakes.openai_server import Answer, FakeOpenAI
from tests.redis_process import RedisProcess

pytestmark = pytest.mark.integration

ANSWER = "a.txt\n```\none\nTWO\nthree\n```\n"


@asynccontextmanager
async def serving(tmp_path: Path, redis: str | None, *names: str) -> AsyncIterator[list[Server]]:
    with FakeOpenAI(Answer(ANSWER, match="shout")) as model:
        async with AsyncExitStack() as stack:
            servers = []
            for name in names:
                folder = tmp_path / name
                folder.mkdir()
                environment = {
                    "PAIRLOOM_MODEL": "loom-1",
                    "PAIRLOOM_BASE_URL": model.base_url,
                    "PAIRLOOM_API_KEY": "test",
                }
                if redis is not None:
                    environment |= {"PAIRLOOM_REDIS_URL": redis, "PAIRLOOM_NODE_NAME": name}
                server = Server(folder, environment)
                await server.start()
                stack.push_async_callback(server.stop)
                servers.append(server)
            yield servers


@asynccontextmanager
async def joined(server: Server, name: str) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://127.0.0.1:{server.port}/collaborate/room?name={name}", max_size=None) as socket:
        yield socket


async def ask(socket: ClientConnection, line: str, answer: str) -> dict[str, Any]:
    await socket.send(line)
    async with asyncio.timeout(20):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            assert message["type"] != "error", message
            if message["type"] == answer:
                return message


async def blamed(server: Server) -> list[tuple[str, str, str]]:
    """Text, kind and name of who wrote it, range by range."""
    text = (await server.read("room", "a.txt")).decode()
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{server.address}/api/rooms/room/blame/a.txt")
    assert answer.is_success, answer.text
    said = answer.json()
    found = []
    for one in said["ranges"]:
        author = said["authors"][one["author"]]
        assert author["kind"] != "job" or (author["model"], author["prompt"]) == ("loom-1", "shout the number")
        assert one["at_ms"] > 1_600_000_000_000
        found.append((text[one["offset"] : one["offset"] + one["length"]], author["kind"], author["name"]))
    return found


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.01)


async def reads(server: Server, text: bytes) -> bool:
    return await server.paths("room") != [] and await server.read("room", "a.txt") == text


async def written(one: Server, two: Server) -> str:
    """Ann and Bob type, each on a server, and Ann has a job change a line of Bob's; the job's id."""
    async with joined(one, "Ann") as ann, joined(two, "Bob") as bob:
        await ask(ann, "new a.txt", "applied")
        await ask(ann, "insert a.txt 0:0 one\\nthree\\n", "applied")
        await until(lambda: reads(two, b"one\nthree\n"))
        await ask(bob, "insert a.txt 1:0 two\\n", "applied")
        await until(lambda: reads(one, b"one\ntwo\nthree\n"))
        done = await ask(ann, "ask shout the number", "generation_complete")
    assert done["job"]["state"] == "complete", done
    return str(done["job"]["job"])


TYPED = [("one\n", "person", "Ann"), ("two\n", "person", "Bob"), ("three\n", "person", "Ann")]


def shouted(found: list[tuple[str, str, str]]) -> bool:
    text = "".join(text for text, kind, _ in found if kind == "job")
    return "TWO" in text and {kind for _, kind, _ in found} == {"job", "person"}


async def test_blame_and_undo_survive_a_crash(tmp_path: Path) -> None:
    async with serving(tmp_path, None, "one") as [server]:
        job = await written(server, server)
        before = await blamed(server)
        assert shouted(before)
        async with httpx.AsyncClient() as client:
            # Answers once all is stored.
            assert (await client.put(server.file("room", "b.txt"), content=b"b")).is_success
        await server.kill()
        await server.start()
        assert await blamed(server) == before
        async with joined(server, "Cem") as cem:
            await ask(cem, f"undo {job}", "done")
        assert await blamed(server) == TYPED
        async with httpx.AsyncClient() as client:
            table = (await client.get(f"{server.address}/api/rooms/room/attribution")).json()
        assert {author["name"] for author in table["authors"]} >= {"Ann", "Bob", "Cem"}
        assert table["copies"]


async def tells(server: Server, expected: list[tuple[str, str, str]]) -> bool:
    return await blamed(server) == expected


async def test_every_node_tells_the_same(tmp_path: Path, redis_server: Path) -> None:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(RedisProcess(redis_server, tmp_path))
        one, two = await stack.enter_async_context(serving(tmp_path, redis.url, "one", "two"))
        job = await written(one, two)
        found = await blamed(one)
        assert shouted(found)
        await until(lambda: tells(two, found))
        async with joined(two, "Cem") as cem:
            await ask(cem, f"undo {job}", "done")
        await until(lambda: tells(one, TYPED))
        await until(lambda: tells(two, TYPED))
