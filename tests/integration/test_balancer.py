"""The balancer of compose.yaml, with its own configuration, in front of two real nodes."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests import program
from tests.program import Program
from tests.redis_process import RedisProcess, free_port
from tests.server.running import YClient

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("haproxy") is None, reason="needs haproxy; apt-get install haproxy brings it"),
]

CONFIG = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
NAMES = ("node-1", "node-2")
SECONDS = 40.0
ROOMS = [f"team/room-{number}" for number in range(12)]


@dataclass
class Balanced:
    """Two nodes behind the balancer."""

    port: int
    nodes: dict[str, Program]
    redis: RedisProcess
    client: httpx.AsyncClient

    async def node_of(self, room: str) -> str:
        """The one node that has the room. A node hears of another one within two seconds."""
        async with asyncio.timeout(SECONDS):
            while True:
                rows = (await self.client.get("/api/rooms")).json()["rooms"]
                found = [node for row in rows if row["room"] == room for node in row["nodes"]]
                if found:
                    [node] = found
                    return str(node)
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def joined(self, room: str, client: int = 1, origin: str | None = None) -> AsyncIterator[YClient]:
        """A client in a room that is synced."""
        address = f"ws://127.0.0.1:{self.port}/yjs/{room}"
        async with connect(address, compression=None, open_timeout=SECONDS, origin=origin) as socket:  # type: ignore[arg-type]
            one = YClient(client, socket)
            await one.open()
            await one.until(one.is_synced)
            yield one


@asynccontextmanager
async def node(name: str, port: int, redis: RedisProcess, folder: Path) -> AsyncIterator[Program]:
    process = program.start(
        ["serve", "--port", str(port), "--no-open"],
        folder=folder,
        environment={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            # As in compose.yaml, but for the address.
            "PAIRLOOM_HOST": "0.0.0.0",
            "PAIRLOOM_TRUSTED_NETWORK": "true",
            "PAIRLOOM_REDIS_URL": redis.url,
            "PAIRLOOM_NODE_NAME": name,
        },
        piped=True,
    )
    try:
        async with asyncio.timeout(SECONDS):
            assert "running" in await process.line()
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def balancer(ports: dict[str, int], folder: Path) -> AsyncIterator[int]:
    port = free_port()
    config = CONFIG.read_text(encoding="utf-8").replace("bind :8000", f"bind 127.0.0.1:{port}")
    for name, at in ports.items():
        config = config.replace(f"{name}:8000", f"127.0.0.1:{at}")
    (folder / "haproxy.cfg").write_text(config)
    process = await asyncio.create_subprocess_exec("haproxy", "-q", "-f", str(folder / "haproxy.cfg"))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client, asyncio.timeout(SECONDS):
            while True:
                assert process.returncode is None
                try:
                    if (await client.get("/health/ready")).is_success:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        yield port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def balanced(redis_server: Path, tmp_path: Path) -> AsyncIterator[Balanced]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(RedisProcess(redis_server, tmp_path / "redis", appendonly="yes"))
        ports = {name: free_port() for name in NAMES}
        async with asyncio.TaskGroup() as tasks:
            starts = {
                name: tasks.create_task(stack.enter_async_context(node(name, port, redis, tmp_path)))
                for name, port in ports.items()
            }
        port = await stack.enter_async_context(balancer(ports, tmp_path))
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)
        )
        yield Balanced(port, {name: start.result() for name, start in starts.items()}, redis, client)


async def test_all_who_open_a_room_come_to_one_node_and_the_rooms_are_spread(balanced: Balanced) -> None:
    async with AsyncExitStack() as stack:
        for number, room in enumerate(ROOMS):
            for client in (1, 2, 3):
                await stack.enter_async_context(balanced.joined(room, 10 * number + client))
            # The API's way of writing a room's name leads to the same node.
            assert (await balanced.client.get(f"/api/rooms/{room.replace('/', '%2F')}")).json()["connections"] == 3
        nodes = [await balanced.node_of(room) for room in ROOMS]
    assert set(nodes) == set(NAMES)


async def test_a_node_that_dies_is_replaced_by_the_other(balanced: Balanced) -> None:
    room = ROOMS[0]
    async with balanced.joined(room) as anna:
        await anna.edit(anna.replica.create(text="kept"))
        async with balanced.joined(room, 2) as ben:
            await ben.until(lambda: ben.text() == "kept")
        first = await balanced.node_of(room)
        balanced.nodes[first].kill()
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                async with balanced.joined(room, 3) as chris:
                    await chris.until(lambda: chris.text() == "kept")
                break
            except InvalidStatus as error:
                # Until the balancer has noticed; every client tries again.
                if error.response.status_code not in {502, 503}:
                    raise


async def test_rooms_in_memory_can_be_joined_while_redis_is_away(balanced: Balanced) -> None:
    room = ROOMS[0]
    async with balanced.joined(room) as anna:
        await anna.edit(anna.replica.create(text="here"))
        async with balanced.joined(room, 2) as ben:
            await ben.until(lambda: ben.text() == "here")
        await balanced.redis.kill()
        await anna.edit(anna.replica.insert(0, "still "))
        for _ in range(20):
            # For longer than the balancer takes to notice that a node is not ready.
            assert (await balanced.client.get("/health/ready")).status_code == 200
            await asyncio.sleep(0.1)
        async with balanced.joined(room, 3) as chris:
            await chris.until(lambda: chris.text() == "still here")
        await balanced.redis.start()


async def test_pages_of_other_sites_are_refused_through_the_balancer(balanced: Balanced) -> None:
    own = f"http://127.0.0.1:{balanced.port}"
    async with balanced.joined("r", origin=own):
        pass
    with pytest.raises(InvalidStatus) as refused:
        async with balanced.joined("r", origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    answer = await balanced.client.delete("/api/rooms/r", headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin")


async def test_a_foreign_name_is_refused(balanced: Balanced) -> None:
    answer = await balanced.client.get("/api/rooms", headers={"Host": f"evil.example:{balanced.port}"})
    assert answer.status_code == 421
