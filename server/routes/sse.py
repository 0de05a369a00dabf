"""Server-Sent Events: a response that streams, keeps the connection alive, and notices that nobody reads.

The library for this, sse-starlette, replaces a method of uvicorn's server when it is imported and starts a
task that nobody owns; this is the part of it that is needed here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import anyio
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PING_SECONDS: Final = 15.0
"""A comment line goes out so often, so that proxies do not close an idle stream."""
PING: Final = b": ping\n\n"


class EventStream(Response):
    """Sends each message as one ``data:`` line of JSON.

    The stream ends with the iterator, when the client goes away (then ``gone`` is awaited), or when
    ``stopping`` is set: then the client gets the ``farewell`` message as its last.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        messages: Callable[[], AsyncIterator[BaseModel]],
        *,
        stopping: asyncio.Event,
        farewell: Callable[[], BaseModel],
        gone: Callable[[], Awaitable[None]],
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        self.status_code = 200
        self.background = None
        self._messages = messages
        self._stopping = stopping
        self._farewell = farewell
        self._gone = gone
        self._ping_seconds = ping_seconds
        # X-Accel-Buffering: nginx would collect the stream before it passes it on.
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until one of the ends."""
        went_away = False
        lock = anyio.Lock()

        async def put(data: bytes) -> None:
            async with lock:
                await send({"type": "http.response.body", "body": data, "more_body": True})

        async def stream() -> None:
            async for message in self._messages():
                await put(encoded(message))
            group.cancel_scope.cancel()

        async def ping() -> None:
            while True:
                await anyio.sleep(self._ping_seconds)
                await put(PING)

        async def listen() -> None:
            nonlocal went_away
            while (await receive())["type"] != "http.disconnect":
                pass
            went_away = True
            group.cancel_scope.cancel()

        async def stop() -> None:
            await self._stopping.wait()
            group.cancel_scope.cancel()

        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async with anyio.create_task_group() as group:
                for task in (stream, ping, listen, stop):
                    group.start_soon(task)
        finally:
            if went_away:
                # Also when the server cancels this request: the job must not go on unseen.
                with anyio.CancelScope(shield=True):
                    await self._gone()
        if went_away:
            return
        last = encoded(self._farewell()) if self._stopping.is_set() else b""
        await send({"type": "http.response.body", "body": last, "more_body": False})


def encoded(message: BaseModel) -> bytes:
    """One message as an event. JSON has no line breaks of its own, so one ``data:`` line holds it."""
    return b"data: " + message.model_dump_json().encode() + b"\n\n"
