"""Shares the turns of the event loop, so that people's edits wait little for what jobs do in them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MERGES: Final = 2
"""So many merges are made in one turn, of half a millisecond or so each."""
REST: Final = 0.75
"""The part of the interval between two merges in which a job's connection is left alone, so that more gathers."""
LONG_REST: Final = 0.95
MANY: Final = 20
"""So many jobs at once need the time, and their connections are left alone for LONG_REST of it."""


class Turns:
    """One for the process."""

    def __init__(self, most: int = MERGES) -> None:
        self._most = most
        self._left = most
        self._counting = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._streams = 0

    @contextmanager
    def stream(self) -> Iterator[None]:
        """While a model's answer streams in."""
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    def rest(self, interval: float) -> float:
        """How long a stream is left alone between two merges, in seconds."""
        return interval * (REST + (LONG_REST - REST) * min(1.0, (self._streams - 1) / MANY))

    async def mine(self) -> None:
        """Returns when something may be done: in this turn of the loop, or in one of the next, in order."""
        loop = asyncio.get_running_loop()
        if not self._counting:
            self._counting = True
            loop.call_soon(self._over, loop)
        if self._left and not self._waiting:
            self._left -= 1
            return
        free = loop.create_future()
        self._waiting.append(free)
        await free

    def _over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._left = self._most
        self._counting = bool(self._waiting)
        while self._waiting and self._left:
            free = self._waiting.popleft()
            if not free.done():
                free.set_result(None)
                self._left -= 1
        if self._counting:
            loop.call_soon(self._over, loop)
