"""A process's way to the cache of answers: no job fails or waits because of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from collab.errors import CollabError
from collab.ids import RoomId
from collab.ports import Clock
from generation.cache import AnswerCache, CachedAnswer, key_of
from generation.catalog import ModelSpec
from generation.io.deleted_rooms import DeletedRooms
from generation.ports import Message

CACHE_SECONDS: Final = 0.5
"""A cache that takes longer counts as empty."""

logger = logging.getLogger(__name__)


class Answers:
    """Finds and keeps answers. What goes wrong is logged, and there is no answer then."""

    def __init__(self, cache: AnswerCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._deleted = DeletedRooms(cache.forget)

    def key(self, room: RoomId, model: ModelSpec, messages: Sequence[Message]) -> str:
        """The key of what this model answers to these messages."""
        limit = model.answer_tokens if model.limits_answer else None
        return key_of((model.provider.base_url, model.id, limit), messages, room=room)

    async def find(self, room: RoomId, key: str) -> CachedAnswer | None:
        """The answer, if there is one."""
        try:
            async with asyncio.timeout(CACHE_SECONDS):
                await self._deleted.settle()
                return await self._cache.get(room, key)
        except (CollabError, TimeoutError) as error:
            logger.warning("the cache of answers was not asked: %s", _words(error))
            return None

    async def keep(self, room: RoomId, key: str, text: str, model: str) -> None:
        """Keeps an answer."""
        try:
            async with asyncio.timeout(CACHE_SECONDS):
                await self._deleted.settle()
                await self._cache.put(room, key, CachedAnswer(text, model, self._clock.wall_ms()))
        except (CollabError, TimeoutError) as error:
            logger.warning("an answer was not cached: %s", _words(error))

    async def claim(self, room: RoomId, key: str, seconds: float) -> bool:
        """Whether this process is to ask for the answer ahead."""
        try:
            async with asyncio.timeout(CACHE_SECONDS):
                return await self._cache.claim(room, key, seconds)
        except (CollabError, TimeoutError) as error:
            logger.warning("the cache of answers was not asked: %s", _words(error))
            return False

    def forget(self, room: RoomId) -> None:
        """The room is deleted: its answers go before the cache is used next, and end by themselves in any case."""
        self._deleted.add(room)


def _words(error: Exception) -> str:
    return error.message if isinstance(error, CollabError) else f"it took longer than {CACHE_SECONDS:g} s"
