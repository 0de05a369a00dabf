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
        # A reader that is cancelled before it has begun does not say so.
        self._more.set()
        if self._reader is not None:
            self._reader.cancel()

    async def take(self, timeout: float | None) -> list[Delta] | Signal:
        """What has come; NOTHING_YET after ``timeout`` seconds. Raises what the stream raises."""
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="read a model's stream")
        if not self._got and not self._reader.done():
            await self._wait(timeout)
        self._more.clear()
        if self._halted:
            return Signal.END
        if self._got:
            got, self._got = self._got, []
            return got
        if not self._reader.done():
            return Signal.NOTHING_YET
        await self._reader
        return Signal.END

    async def _wait(self, timeout: float | None) -> None:
        # By a timer, as this is done for every few tokens: asyncio.timeout takes several times as long.
        timer = asyncio.get_running_loop().call_later(timeout, self._more.set) if timeout is not None else None
        try:
            await self._more.wait()
        finally:
            if timer is not None:
                timer.cancel()

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
