"""Reads a stream in the background, and hands out together what came together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import Enum, auto
from typing import Final

from generation.ports import Delta

MOST_WAITING: Final = 1_000
"""Deltas that are read before whoever takes them has a turn."""


class Signal(Enum):
    """What may be taken instead of deltas."""

    NOTHING_YET = auto()
    END = auto()


class Pump:
    """One stream. Close it at the end, which also ends the request behind it."""

    def __init__(self, stream: AsyncIterator[Delta]) -> None:
        self._stream: Final = stream
        self._reader: asyncio.Task[None] | None = None
        self._more = asyncio.Event()
        self._got: list[Delta] = []
        self._halted = False

    def halt(self) -> None:
        """Ends the stream for whoever takes of it, now or later."""
        self._halted = True
        if self._reader is not None:
            self._reader.cancel()

    async def take(self, timeout: float | None) -> list[Delta] | Signal:
        """What has come; NOTHING_YET after ``timeout`` seconds. Raises what the stream raises."""
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="read a model's stream")
        if not self._got and not self._reader.done():
            try:
                await self._wait(timeout)
            except TimeoutError:
                return Signal.NOTHING_YET
        self._more.clear()
        if self._halted:
            return Signal.END
        if not self._got:
            await self._reader
            return Signal.END
        got, self._got = self._got, []
        return got

    async def _wait(self, timeout: float | None) -> None:
        if timeout is None:
            await self._more.wait()
        else:
            async with asyncio.timeout(timeout):
                await self._more.wait()

    async def aclose(self) -> None:
        """Ends the stream."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()

    async def _read(self) -> None:
        try:
            async for delta in self._stream:
                self._got.append(delta)
                self._more.set()
                if len(self._got) >= MOST_WAITING:
                    # A stream that never waits would leave nobody else a turn.
                    await asyncio.sleep(0)
        finally:
            self._more.set()
