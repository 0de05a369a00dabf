"""A job that runs on one node, stopped from another."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.e2e.serving import Server
from tests.fakes.openai_server import Answer, FakeOpenAI
from tests.redis_process import RedisProcess

pytestmark = pytest.mark.integration

ENDLESS = "a.txt\n```\n" + "line of text\n" * 4000 + "```\n"
CANCEL_SECONDS = 0.1


@pytest.fixture
async def nodes(tmp_path: Path, redis_server: Path) -> AsyncIterator[tuple[Server, Server]]:
    with FakeOpenAI(Answer(ENDLESS, match="write", delay=0.005)) as model:
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
            yield servers[0], servers[1]


def socket(server: Server, name: str) -> connect:
    address = f"ws://127.0.0.1:{server.port}/collaborate/room?name={name}"
    return connect(address, max_size=None)


async def heard(connection: ClientConnection, kind: str, job: str | None = None) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            message: dict[str, Any] = json.loads(await connection.recv())
            about = message.get("job")
            if message["type"] == kind and (
                job is None or about == job or (isinstance(about, dict) and about["job"] == job)
            ):
                return message


async def test_a_job_stops_within_a_tenth_of_a_second_when_somebody_on_another_node_cancels_it(
    nodes: tuple[Server, Server],
) -> None:
    one, two = nodes
    took = []
    async with socket(one, "Ann") as ann, socket(two, "Bob") as bob:
        for number in range(5):
            await ann.send(json.dumps({"type": "generate", "id": f"g{number}", "prompt": "write it"}))
            job = (await heard(ann, "generation_started"))["job"]["job"]
            await heard(bob, "generation_token", job)
            begin = time.perf_counter()
            await bob.send(json.dumps({"type": "cancel", "id": f"c{number}", "job": job}))
            ended = await heard(ann, "generation_complete", job)
            took.append(time.perf_counter() - begin)
            assert ended["job"]["state"] == "cancelled"
            assert ended["job"]["error"] == "Cancelled by Bob."
    assert statistics.median(took) < CANCEL_SECONDS, took
