"""Waits for something that only asking tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

POLL_SECONDS: Final = 0.02


async def until(true: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Asks until it is so. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            if await true():
                return
            await asyncio.sleep(POLL_SECONDS)
