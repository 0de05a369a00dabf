"""A provider that misbehaves on purpose, in the event loop of the test, by a clock that the test turns.

It speaks HTTP by hand, as no framework lets a connection be reset before its headers.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

PIECE: Final = 12
"""Characters of a chunk."""
PROMPT_TOKENS: Final = 1_000
ANSWER_TOKENS: Final = 100


@dataclass
class HandClock:
    """Implements collab.ports.Clock; ``pause`` is a wait that takes no time and turns the clock."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        return round(self.now * 1000)

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Asked:
    """A request that came: when, by the test's clock, and what it said."""

    at: float
    body: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, str]]:
        messages: list[dict[str, str]] = self.body["messages"]
        return messages


class Line:
    """The connection of one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def silence(self) -> None:
        """Says nothing until whoever asked hangs up."""
        while await self._reader.read(1_000):
            pass

    async def error(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        """Answers with an error, as OpenAI words them."""
        body = json.dumps({"error": {"message": message, "type": "error", "param": None, "code": code}})
        lines = [
            f"HTTP/1.1 {status} Error",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "connection: close",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        await self._writer.drain()

    async def begin(self) -> None:
        """Begins a stream."""
        self._writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
            b"connection: close\r\n\r\n"
        )
        await self._writer.drain()

    async def data(self, text: str) -> None:
        """Sends one line of the stream."""
        raw = f"data: {text}\n\n".encode()
        self._writer.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
        await self._writer.drain()

    async def chunk(self, text: str = "", finish: str | None = None) -> None:
        """Sends a piece of the answer."""
        delta = {"content": text} if text else {}
        await self.data(json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))

    async def text(self, text: str) -> None:
        """Sends a text in pieces."""
        for at in range(0, len(text), PIECE):
            await self.chunk(text[at : at + PIECE])

    async def usage(self) -> None:
        """Says what the answer took."""
        usage = {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": ANSWER_TOKENS,
            "total_tokens": PROMPT_TOKENS + ANSWER_TOKENS,
        }
        await self.data(json.dumps({"choices": [], "usage": usage}))

    async def end(self, *, done: bool = True) -> None:
        """Ends the stream in order."""
        if done:
            await self.data("[DONE]")
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    def reset(self) -> None:
        """Breaks the connection off, in the middle of whatever it was."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Behaviour = Callable[[Line], Awaitable[None]]


def answers(text: str, *, done: bool = True, finish: str | None = "stop", after: float = 0.0) -> Behaviour:
    """Answers in order; ``after`` so many seconds, for once real ones."""

    async def behave(line: Line) -> None:
        await line.begin()
        if after:
            await asyncio.sleep(after)
        await line.text(text)
        if finish is not None:
            await line.chunk(finish=finish)
        await line.usage()
        await line.end(done=done)

    return behave


def fails(status: int, message: str = "No.", code: str | None = None, **headers: str) -> Behaviour:
    """Answers with an error."""

    async def behave(line: Line) -> None:
        await line.error(status, message, code, **headers)

    return behave


async def resets(line: Line) -> None:
    """Hangs up before it has said anything."""
    line.reset()


async def says_nothing(line: Line) -> None:
    """Takes the request and never answers; whoever asked must hang up."""
    await line.silence()


def breaks(text: str, how: str, share: float = 2 / 3) -> Behaviour:
    """Answers a part, then is ``cut``, ``stalls``, or sends a ``malformed`` chunk before the rest."""

    async def behave(line: Line) -> None:
        await line.begin()
        part = int(len(text) * share)
        await line.text(text[:part])
        if how == "cut":
            line.reset()
        elif how == "stalls":
            await line.silence()
        else:
            await line.data('{"choices": [{"delta": {"conte')
            await line.text(text[part:])
            await line.chunk(finish="stop")
            await line.end()

    return behave


class Provider:
    """Listens on a free port. The n-th request meets the n-th behaviour, later ones the last."""

    def __init__(self, clock: HandClock, *behaviours: Behaviour) -> None:
        self.behaviours: Sequence[Behaviour] = behaviours
        self.requests: list[Asked] = []
        self.url = ""
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def gaps(self) -> list[float]:
        """Seconds of the test's clock between the requests."""
        times = [request.at for request in self.requests]
        return [round(after - before, 6) for before, after in pairwise(times)]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Provider]:
        """Listens until it is left."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield self
        finally:
            server.close()
            async with asyncio.timeout(10):
                await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].split()[0])
            body = json.loads(await reader.readexactly(length))
            self.requests.append(Asked(self._clock.now, body))
            behave = self.behaviours[min(len(self.requests), len(self.behaviours)) - 1]
            await behave(Line(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # whoever asked has hung up, as they may
        finally:
            writer.close()
            if task is not None:
                self._tasks.discard(task)
