from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from server.commands.in_process import WAITING, InProcess


@asynccontextmanager
async def client(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        asyncio.TaskGroup() as group,
        httpx.AsyncClient(transport=InProcess(app, group), base_url="http://127.0.0.1:8000") as made,
    ):
        yield made


async def start(send: Send, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"x-a", b"1")]})


async def body(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def test_the_application_gets_the_request_and_the_client_its_answer() -> None:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        got = await receive()
        await start(send, 201)
        await body(send, scope["raw_path"] + b" " + scope["query_string"] + b" " + got["body"], more=False)

    async with client(echo) as http:
        answer = await http.post("/a%2Fb?q=1", content=b"hello")
    assert (answer.status_code, answer.headers["x-a"], answer.content) == (201, "1", b"/a%2Fb q=1 hello")


async def test_pieces_arrive_as_they_are_sent() -> None:
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send)
        await body(send, b"first")
        await go_on.wait()
        await body(send, b"second", more=False)

    async with client(app) as http, http.stream("GET", "/") as answer:
        pieces = answer.aiter_raw()
        assert await anext(pieces) == b"first"
        go_on.set()
        assert await anext(pieces) == b"second"


async def test_an_answer_that_is_closed_early_ends_the_request() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await start(send)
        await body(send, b"first")
        seen.append((await receive())["type"])

    async with client(app) as http, http.stream("GET", "/") as answer:
        assert await anext(answer.aiter_raw()) == b"first"
    assert seen == ["http.disconnect"]


async def test_an_application_that_writes_faster_than_is_read_waits() -> None:
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await start(send)
        for _ in range(10 * WAITING):
            await body(send, b"x")
            sent += 1

    async with client(app) as http, http.stream("GET", "/") as answer:
        for _ in range(10 * WAITING):
            await asyncio.sleep(0)
        assert sent == WAITING
        assert len(await answer.aread()) == 10 * WAITING


async def test_an_application_that_fails_after_its_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send, 500)
        await body(send, b"sorry", more=False)
        raise RuntimeError("broken")

    async with client(app) as http:
        assert (await http.get("/")).status_code == 500
    assert "broken" in caplog.text


async def test_an_application_without_an_answer_is_an_error() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    async with client(app) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/")
