"""Shares the turns of the event loop, so that people's edits wait little for what jobs do in them."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Final

WORKS: Final = 2
"""So many pieces of work are done in one turn: merges, of half a millisecond or so each, and reads."""
REST: Final = 0.75
"""The part of the interval between two merges in which a job's connection is left alone, so that more gathers."""
MORE_REST: Final = 0.2
"""And so much more of it at most, the longer jobs wait for their turns: there are fewer merges then, of more."""
WAITS: Final = 4.0
"""It is left alone for so many times as long more as they wait on average."""
_RECENT: Final = 0.02
"""What the last wait counts in the average."""
APART: Final = 0.04
"""Seconds between the starts, or ends, of two jobs: either costs a job more than to write for half a second."""
MORE_APART: Final = 0.08
"""And so much more at most, the longer jobs wait for their turns."""
_APART_WAITS: Final = 50.0
"""They are further apart by so many times as long as jobs wait on average."""


class Turns:
    """One for the process."""

    def __init__(self, most: int = WORKS) -> None:
        self._most = most
        self._left = most
        self._counting = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._wait = 0.0
        self._heavy = asyncio.Lock()
        self._heavy_at = -math.inf

    async def apart(self) -> None:
        """Returns when a job may start, or end: at once mostly, a little later where many do together."""
        loop = asyncio.get_running_loop()
        async with self._heavy:
            early = self._heavy_at + self.spacing() - loop.time()
            if early > 0:
                await asyncio.sleep(early)
            self._heavy_at = loop.time()

    def spacing(self) -> float:
        """Seconds between two jobs that start or end now."""
        return APART + min(MORE_APART, _APART_WAITS * self._wait)

    def rest(self, interval: float) -> float:
        """How long a stream is left alone now between two merges, whose ``interval`` is given; all in seconds."""
        return interval * REST + min(interval * MORE_REST, WAITS * self._wait)

    async def rested(self, interval: float) -> None:
        """Returns when a stream was left alone for long enough and may be read; ``interval`` is that of merges."""
        await asyncio.sleep(self.rest(interval))
        await self.mine()

    async def mine(self) -> None:
        """Returns when something may be done: in this turn of the loop, or in one of the next, in order."""
        loop = asyncio.get_running_loop()
        if not self._counting:
            self._counting = True
            loop.call_soon(self._over, loop)
        if self._left and not self._waiting:
            self._left -= 1
            self._wait -= self._wait * _RECENT
            return
        free, asked = loop.create_future(), loop.time()
        self._waiting.append(free)
        await free
        self._wait += (loop.time() - asked - self._wait) * _RECENT

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
