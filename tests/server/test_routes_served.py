"""The routes under the real HTTP server, where only its behaviour shows whether they are right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn

from collab.ids import RoomId
from tests.server.routes_fakes import FakeState


@asynccontextmanager
async def served(state: FakeState) -> AsyncIterator[int]:
    """Serves the routes on a free port until the block ends."""
    config = uvicorn.Config(state.app(), port=0, log_level="warning", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server._serve())
        while not server.started:
            assert not running.done()
            await asyncio.sleep(0)
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True


async def test_an_encoded_slash_in_a_room_survives_the_server() -> None:
    state = FakeState()
    async with served(state) as port, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{port}/api/rooms/a%2Fb/files/dir%2Fx.txt"
        assert (await client.put(url, content=b"x")).status_code == 201
    assert list(state.hub.hosts) == [RoomId("a/b")]
    assert state.hub.host("a/b").paths() == ["dir/x.txt"]


async def test_bytes_that_are_no_ascii_in_the_address_break_nothing() -> None:
    state = FakeState()
    async with served(state) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/rooms/\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        status = await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert b" 400 " in status
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/health/live")).status_code == 200


async def test_closing_the_socket_cancels_the_job() -> None:
    state = FakeState()
    async with served(state) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps({"room": "main", "prompt": "x", "name": "Kim"}).encode()
        writer.write(
            b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        await reader.readuntil(b'"progress"')
        writer.close()
        await writer.wait_closed()
        await state.generation.acted.wait()
    assert state.generation.calls[1] == ("cancel", "main", "j1", "Kim")


async def test_a_refused_body_that_goes_on_and_on_is_answered_and_cut() -> None:
    state = FakeState()
    async with served(state) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"PUT /api/rooms/main/files/a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
        )
        assert b" 413 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert state.hub.hosts == {}
