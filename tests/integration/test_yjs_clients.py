"""The y-websocket lines that people use, unchanged, against the running server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hatch_build import Node
from tests.e2e.serving import Server
from tests.integration.node_clients import NodeClient, install

LINES = ["1.5", "2.1", "3.1", "4"]
FILE = "f1"

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
def yjs(node: Node) -> Node:
    """Node with the clients installed."""
    install(node)
    return node


def url(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/yjs"


async def test_all_lines_edit_one_file_and_see_each_other(yjs: Node, tmp_path: Path) -> None:
    server = Server(tmp_path, {})
    await server.start()
    try:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(NodeClient(yjs, line)) for line in LINES]
            for line, client in zip(LINES, clients, strict=True):
                await client.do("connect", url=url(server), room="mixed", name=f"line {line}")
            await clients[0].do("create", file=FILE, path="a.txt", text="start\n")
            for client in clients:
                await client.do("until", file=FILE, text="start\n")
            await asyncio.gather(
                *(c.do("insert", file=FILE, at=0, text=f"{n} 👋🏽 é\n") for n, c in enumerate(clients))
            )
            text = await settled(clients)
            assert sorted(text.splitlines()) == sorted(["start", *(f"{n} 👋🏽 é" for n in range(4))])
            for client in clients:
                await client.do("until_people", people=[f"line {line}" for line in LINES])
            await clients[1].do(
                "delete", file=FILE, at=0, length=len(text.split("\n")[0].encode("utf-16-le")) // 2
            )
            assert (await settled(clients)).startswith("\n")
    finally:
        await server.kill()


async def settled(clients: list[NodeClient]) -> str:
    """The text that all clients have, once they have the same."""
    async with asyncio.timeout(30):
        while True:
            texts = {await client.do("text", file=FILE) for client in clients}
            if len(texts) == 1:
                return str(texts.pop())


@pytest.mark.parametrize("line", LINES)
async def test_offline_edits_and_a_killed_server_lose_nothing(yjs: Node, tmp_path: Path, line: str) -> None:
    server = Server(tmp_path, {})
    await server.start()
    try:
        async with NodeClient(yjs, "3.1") as other, NodeClient(yjs, line) as client:
            await other.do("connect", url=url(server), room="r/with/slashes")
            await other.do("create", file=FILE, path="a.txt", text="base\n")
            await client.do("connect", url=url(server), room="r/with/slashes")
            await client.do("until", file=FILE, text="base\n")

            await client.do("offline")
            await client.do("insert", file=FILE, at=0, text="offline ")
            await other.do("insert", file=FILE, at=5, text="online\n")
            await client.do("online")
            await client.do("until", file=FILE, text="offline base\nonline\n")
            await other.do("until", file=FILE, text="offline base\nonline\n")

            await server.kill()
            await client.do("until_lost")
            await client.do("insert", file=FILE, at=0, text="killed ")
            await server.start()
            await client.do("until_synced")
            await other.do("until", file=FILE, text="killed offline base\nonline\n")
    finally:
        await server.kill()


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_lone_idle_client_stays_connected(yjs: Node, tmp_path: Path) -> None:
    """Lines 1 to 3 give up a connection after 30 s without a message, 4 after 45 s."""
    server = Server(tmp_path, {})
    await server.start()
    try:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(NodeClient(yjs, line)) for line in LINES]
            for line, client in zip(LINES, clients, strict=True):
                await client.do("connect", url=url(server), room=f"alone-{line}", name="me")
            assert await asyncio.gather(*(client.do("idle", seconds=50) for client in clients)) == [0] * 4
    finally:
        await server.kill()
