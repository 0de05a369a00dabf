"""Reads a stream in steps that may time out without losing the step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import Enum, auto
from typing import Final

from generation.ports import Delta


class Signal(Enum):
    """What a step may bring instead of a delta."""

    NOTHING_YET = auto()
    END = auto()


class Pump:
    """One stream. Close it at the end, which also ends the request behind it."""

    def __init__(self, stream: AsyncIterator[Delta]) -> None:
        self._stream: Final = stream
        self._step: asyncio.Task[Delta | Signal] | None = None
        self._halted = asyncio.Event()

    def halt(self) -> None:
        """Has the step that is waited for, and each further one, end the stream."""
        self._halted.set()
        if self._step is not None:
            self._step.cancel()

    async def next(self, timeout: float | None) -> Delta | Signal:
        """The next delta; NOTHING_YET after ``timeout`` seconds. Raises what the stream raises."""
        if self._halted.is_set():
            return Signal.END
        if self._step is None:
            self._step = asyncio.create_task(self._read())
        done, _ = await asyncio.wait({self._step}, timeout=timeout)
        if not done:
            return Signal.NOTHING_YET
        step, self._step = self._step, None
        if step.cancelled() and self._halted.is_set():
            return Signal.END
        return step.result()

    async def aclose(self) -> None:
        """Ends the stream."""
        if self._step is not None:
            self._step.cancel()
            await asyncio.gather(self._step, return_exceptions=True)
            self._step = None
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()

    async def _read(self) -> Delta | Signal:
        try:
            return await anext(self._stream)
        except StopAsyncIteration:
            return Signal.END
