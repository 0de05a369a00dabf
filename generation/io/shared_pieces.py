"""A process's way to what others have made of files: no job fails because of it, and none waits for long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Final

from collab.errors import CollabError
from collab.ids import RoomId
from collab.ports import Clock
from generation.context.shared import PieceCache
from generation.io.deleted_rooms import DeletedRooms

SECONDS: Final = 0.3
"""To make the pieces anew takes hardly longer."""
REST_SECONDS: Final = 30.0
"""After a failure nobody is asked for so long."""

logger = logging.getLogger(__name__)


class SharedPieces:
    """Finds and keeps pieces. What goes wrong is logged, and there are none then."""

    def __init__(self, cache: PieceCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._resting = 0.0
        self._deleted = DeletedRooms(cache.forget)

    async def find(self, room: RoomId, keys: Collection[str]) -> dict[str, str]:
        """The pieces that there are, by their keys."""
        if not keys or self._rests():
            return {}
        wanted = list(keys)
        try:
            async with asyncio.timeout(SECONDS):
                await self._deleted.settle()
                found = await self._cache.get(room, wanted)
        except (CollabError, TimeoutError) as error:
            self._rest(error)
            return {}
        return {key: piece for key, piece in zip(wanted, found, strict=True) if piece is not None}

    async def keep(self, room: RoomId, pieces: Mapping[str, str]) -> None:
        """Keeps pieces for others."""
        if not pieces or self._rests():
            return
        try:
            async with asyncio.timeout(SECONDS):
                await self._cache.put(room, pieces)
        except (CollabError, TimeoutError) as error:
            self._rest(error)

    def forget(self, room: RoomId) -> None:
        """The room is deleted: its pieces go before the cache is used next, and end by themselves in any case."""
        self._deleted.add(room)

    def _rests(self) -> bool:
        return self._clock.monotonic() < self._resting

    def _rest(self, error: Exception) -> None:
        self._resting = self._clock.monotonic() + REST_SECONDS
        words = error.message if isinstance(error, CollabError) else f"it took longer than {SECONDS:g} s"
        logger.warning("what other processes made of files is not asked for during %g s: %s", REST_SECONDS, words)
