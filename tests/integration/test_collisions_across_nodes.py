"""A job on one node and somebody on another, in the same lines."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.serving import Server
from tests.fakes.openai_server import Answer, FakeOpenAI
from tests.integration.test_jobs_across_nodes import heard, socket
from tests.redis_process import RedisProcess

pytestmark = pytest.mark.integration

BASE = "".join(f"line {number}\n" for number in range(1, 10))
FILE = "/api/rooms/room/files/a.txt"
REWRITE = "a.txt\n````\n" + BASE.replace("line 2\n", "LINE 2\n").replace("line 8\n", "LINE eight\n") + "````\n"


@dataclass
class Nodes:
    one: Server
    two: Server
    go_on: threading.Event


@pytest.fixture
async def nodes(tmp_path: Path, redis_server: Path) -> AsyncIterator[Nodes]:
    go_on = threading.Event()
    answer = Answer(REWRITE, match="rewrite", piece=len(REWRITE) // 2, after=1, hold=go_on)
    with FakeOpenAI(answer) as model:
        async with AsyncExitStack() as stack:
            redis = await stack.enter_async_context(RedisProcess(redis_server, tmp_path))
            servers = []
            for name in ("one", "two"):
                folder = tmp_path / name
                folder.mkdir()
                environment = {
                    "PAIRLOOM_REDIS_URL": redis.url,
                    "PAIRLOOM_NODE_NAME": name,
                    "PAIRLOOM_MODEL": "loom-1",
                    "PAIRLOOM_BASE_URL": model.base_url,
                    "PAIRLOOM_API_KEY": "test",
                }
                server = Server(folder, environment)
                await server.start()
                stack.push_async_callback(server.stop)
                servers.append(server)
            yield Nodes(servers[0], servers[1], go_on)


async def shows(client: httpx.AsyncClient, server: Server, text: str) -> None:
    async with asyncio.timeout(20):
        while (await client.get(server.address + FILE)).text != text:
            pass


async def both_show(client: httpx.AsyncClient, nodes: Nodes, part: str) -> None:
    async with asyncio.timeout(20):
        while True:
            one, two = [(await client.get(server.address + FILE)).text for server in (nodes.one, nodes.two)]
            if one == two and part in one:
                return


async def test_a_collision_is_asked_on_every_node_and_answered_from_any(nodes: Nodes) -> None:
    typed = BASE.replace("line 8", "line 8, Bob's own")
    async with (
        httpx.AsyncClient(timeout=30) as client,
        socket(nodes.one, "Ann") as ann,
        socket(nodes.two, "Bob") as bob,
    ):
        await client.put(nodes.one.address + FILE, content=BASE.encode())
        await shows(client, nodes.two, BASE)
        await ann.send(json.dumps({"type": "generate", "id": "g", "prompt": "rewrite it", "mode": "auto"}))
        job = (await heard(ann, "generation_started"))["job"]["job"]
        await heard(bob, "generation_token", job)
        at = {"line": 7, "character": 6}
        await bob.send(
            json.dumps({"type": "edit", "id": "e", "file": "a.txt", "start": at, "text": ", Bob's own"})
        )
        await heard(bob, "applied")
        await both_show(client, nodes, "Bob's own")
        nodes.go_on.set()
        ended = await heard(ann, "generation_complete", job)
        assert (ended["job"]["state"], ended["job"]["hunks_pending"]) == ("needs_review", 1)
        # What nobody touched has landed, and Bob's line is as he typed it.
        for server in (nodes.one, nodes.two):
            await shows(client, server, typed.replace("line 2", "LINE 2"))
        asked = (await heard(bob, "suggestion_added"))["suggestion"]
        assert (asked["before"], asked["after"]) == ("line 8\n", "LINE eight\n")
        assert asked["conflict"] != "none"
        await bob.send(
            json.dumps({"type": "answer", "id": "a", "suggestion": asked["suggestion"], "choice": "both"})
        )
        answered = (await heard(ann, "suggestion_answered"))["suggestion"]
        assert (answered["state"], answered["answered_by"]) == ("both", "Bob")
        both = typed.replace("line 2", "LINE 2").replace("Bob's own\n", "Bob's own\nLINE eight\n")
        for server in (nodes.one, nodes.two):
            await shows(client, server, both)
        await ann.send(
            json.dumps({"type": "answer", "id": "b", "suggestion": asked["suggestion"], "choice": "accept"})
        )
        assert "Bob" in (await heard(ann, "error"))["message"]
        undone = await client.post(f"{nodes.two.address}/api/rooms/room/jobs/{job}/undo")
        assert undone.status_code == 200, undone.text
        for server in (nodes.one, nodes.two):
            await shows(client, server, typed)
