"""HTTP requests to an application inside this process, whose answers stream as they would over a socket.

httpx brings such a transport too, but hands an answer over only when it is whole.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
from starlette.types import ASGIApp, Message

WAITING: Final = 16
"""Pieces of one answer that wait to be read; the application waits when there are more."""

logger = logging.getLogger(__name__)


class InProcess(httpx.AsyncBaseTransport):
    """Requests to ``app``, each in a task of ``group``. An answer that is closed early ends its request."""

    def __init__(self, app: ASGIApp, group: asyncio.TaskGroup) -> None:
        self._app = app
        self._group = group

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Returns when the answer has begun. Raises RemoteProtocolError if there is none."""
        exchange = _Exchange(await request.aread())
        exchange.task = self._group.create_task(self._serve(request, exchange))
        await exchange.started.wait()
        if exchange.status is None:
            raise httpx.RemoteProtocolError("The application gave no answer.", request=request)
        return httpx.Response(exchange.status, headers=exchange.headers, stream=exchange)

    async def _serve(self, request: httpx.Request, exchange: _Exchange) -> None:
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query,
            "server": (request.url.host, request.url.port),
            "client": ("127.0.0.1", 0),
            "root_path": "",
        }
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            # The answer was sent already: applications raise again what they have answered with status 500.
            logger.exception("%s %s failed", request.method, request.url.path)
        finally:
            await exchange.end()


class _Exchange(httpx.AsyncByteStream):
    """One request and its answer, seen from both sides."""

    def __init__(self, body: bytes) -> None:
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.started = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._body: bytes | None = body
        self._pieces: deque[bytes | None] = deque()
        self._more, self._space, self._closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    # The application's side

    async def receive(self) -> Message:
        """The request's body, once; then, when the answer is read no more, that."""
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._closed.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """A part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
            self.started.set()
        elif message["type"] == "http.response.body" and message.get("body"):
            await self._put(message["body"])

    async def end(self) -> None:
        """Nothing more comes."""
        self.started.set()
        await self._put(None)

    async def _put(self, piece: bytes | None) -> None:
        while len(self._pieces) >= WAITING and not self._closed.is_set():
            self._space.clear()
            await self._space.wait()
        if not self._closed.is_set():
            self._pieces.append(piece)
            self._more.set()

    # The client's side

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces of the answer."""
        while True:
            while not self._pieces:
                self._more.clear()
                await self._more.wait()
            piece = self._pieces.popleft()
            self._space.set()
            if piece is None:
                return
            yield piece

    async def aclose(self) -> None:
        """Reads no more, and waits until the application has ended the request."""
        self._closed.set()
        self._space.set()
        if self.task is not None:
            await asyncio.wait([self.task])
