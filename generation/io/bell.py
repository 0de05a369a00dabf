"""A bell of the event loop, for the job board in memory."""

from __future__ import annotations

import asyncio


class LoopBell:
    """Implements ``generation.board.Bell``; seconds are the event loop's."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """See Bell.ring."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self, seconds: float) -> None:
        """See Bell.wait."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            self._waiting.discard(future)
            future.cancel()
