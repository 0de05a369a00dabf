"""A TCP proxy in front of Redis that misbehaves as networks do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

CHUNK: Final = 65_536


class Proxy:
    """Forwards connections to ``target`` on this machine, until it is told not to.

    async with Proxy(redis.port) as proxy:
        proxy.cut()
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._up, self._down = asyncio.Event(), asyncio.Event()
        self._accepting = True
        self._delay: Callable[[], float] = lambda: 0.0
        self.port = 0
        self.thaw()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        if self._links:
            await asyncio.wait(self._links)

    def cut(self) -> None:
        """Ends all connections at once; new ones are forwarded."""
        for link in self._links:
            link.cancel()

    def refuse(self) -> None:
        """Ends all connections, and new ones as soon as they come."""
        self._accepting = False
        self.cut()

    def accept(self) -> None:
        """Forwards new connections again."""
        self._accepting = True

    def freeze(self, *, up: bool = True, down: bool = True) -> None:
        """Forwards nothing more to Redis (``up``), to the node (``down``) or both, and ends nothing."""
        if up:
            self._up.clear()
        if down:
            self._down.clear()

    def thaw(self) -> None:
        """Forwards again, first what has waited."""
        self._up.set()
        self._down.set()

    def delay(self, seconds: Callable[[], float]) -> None:
        """Everything comes so much later from now on, in each direction."""
        self._delay = seconds

    def no_delay(self) -> None:
        """Everything comes at once again."""
        self._delay = lambda: 0.0

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        try:
            if self._accepting:
                await self._forward(reader, writer)
        except asyncio.CancelledError:
            # Cut. The task is the stream server's, which would report the cancellation as an error.
            pass
        finally:
            # A reset, as an end of stream would be an orderly goodbye.
            writer.transport.abort()
            self._links.discard(link)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            redis_reader, redis_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            return
        pumps = [
            asyncio.create_task(self._pump(reader, redis_writer, self._up)),
            asyncio.create_task(self._pump(redis_reader, writer, self._down)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            redis_writer.transport.abort()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        try:
            while data := await reader.read(CHUNK):
                late = self._delay()
                if late:
                    await asyncio.sleep(late)
                await gate.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            # The link ends with either of its ends.
            return
