"""When what has come to a room goes out: at the end of the loop's turn, or a few milliseconds later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

SPREAD_SECONDS: Final = 0.008
"""What jobs write goes out this often at most: many jobs at once cost each connection one write, not many."""


class Spreading:
    """Calls ``flush`` once for all that asks for it."""

    __slots__ = ("_at", "_flush", "_later", "_loop", "_scheduled")

    def __init__(self, loop: asyncio.AbstractEventLoop, flush: Callable[[], None]) -> None:
        self._loop = loop
        self._flush = flush
        self._scheduled = False
        self._later: asyncio.TimerHandle | None = None
        self._at = 0.0

    def this_turn(self) -> None:
        """Once the present turn of the event loop has brought all that it brings."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def soon(self) -> None:
        """In one piece for all that comes in a few milliseconds."""
        if self._later is None:
            self._later = self._loop.call_at(max(self._loop.time(), self._at + SPREAD_SECONDS), self._now)

    def flushed(self) -> None:
        """What has come went out."""
        self._scheduled = False

    def _now(self) -> None:
        self._later = None
        self._at = self._loop.time()
        self._flush()
