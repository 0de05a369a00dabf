"""The lists of a room's jobs and suggestions, as a node reads them that does not keep the room's jobs.

Whoever joins gets them, and after a restart hundreds join at once: a list is asked for once, and again when
something has happened in the room.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from collab.errors import KeepLost, StoreUnavailable, TryLater
from collab.ids import RoomId
from collab.ports import Clock
from generation.book import JOB, LEDGER, REDO, SUGGESTION, Book, view
from generation.ports import RoomHandle, Rooms
from generation.views import JobView, SuggestionView

FRESH_SECONDS: Final = 2.0
"""A list is not asked for again so soon, unless something is heard to have happened in the room."""
READ_SECONDS: Final = 0.4
_MOST_LISTS: Final = 1_000

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _List(Generic[T]):
    value: list[T] | None = None
    at: float = 0.0
    stale: bool = True
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Reading:
    """What was read last of each room, for a moment."""

    def __init__(
        self,
        rooms: Rooms,
        clock: Clock,
        ask_jobs: Callable[[RoomId], Awaitable[list[JobView]]],
        ask_suggestions: Callable[[RoomId], Awaitable[list[SuggestionView]]],
        kept: Callable[[RoomId], bool],
    ) -> None:
        """Two callables ask the room's keeper, and are given ``READ_SECONDS``; of rooms that are ``kept`` here
        nothing is remembered.
        """
        self._kept = kept
        self._rooms = rooms
        self._clock = clock
        self._ask_jobs = ask_jobs
        self._ask_suggestions = ask_suggestions
        self._jobs: OrderedDict[RoomId, _List[JobView]] = OrderedDict()
        self._suggestions: OrderedDict[RoomId, _List[SuggestionView]] = OrderedDict()

    async def jobs(self, room: RoomId) -> list[JobView]:
        """The room's jobs, newest first: from its keeper; else from the records; else as they were last known.

        Raises StoreCorrupt, InvalidInput.
        """
        return await self._read(self._jobs, room, self._ask_jobs, _stored_jobs)

    async def suggestions(self, room: RoomId) -> list[SuggestionView]:
        """The room's open suggestions, oldest first, in the same way."""
        return await self._read(self._suggestions, room, self._ask_suggestions, _stored_suggestions)

    def drop(self, room: RoomId) -> None:
        """Something has happened in the room: what is known of it is asked for again."""
        for lists in (self._jobs, self._suggestions):
            known = lists.get(room)
            if known is not None:
                known.stale = True

    def forget(self, room: RoomId) -> None:
        """The room is deleted."""
        self._jobs.pop(room, None)
        self._suggestions.pop(room, None)

    async def _read(
        self,
        lists: OrderedDict[RoomId, _List[T]],
        room: RoomId,
        ask: Callable[[RoomId], Awaitable[list[T]]],
        stored: Callable[[RoomHandle], Awaitable[list[T]]],
    ) -> list[T]:
        known = lists.setdefault(room, _List())
        lists.move_to_end(room)
        if len(lists) > _MOST_LISTS:
            lists.popitem(last=False)
        async with known.lock:
            old = self._clock.monotonic() - known.at >= FRESH_SECONDS
            if known.value is None or known.stale or old or self._kept(room):
                # What happens while it is being read makes it stale again.
                known.stale = False
                known.value = await self._fresh(room, ask, stored, known.value)
                known.at = self._clock.monotonic()
            return known.value

    async def _fresh(
        self,
        room: RoomId,
        ask: Callable[[RoomId], Awaitable[list[T]]],
        stored: Callable[[RoomHandle], Awaitable[list[T]]],
        last: list[T] | None,
    ) -> list[T]:
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await ask(room)
        except (TimeoutError, TryLater, StoreUnavailable, KeepLost) as error:
            logger.info("a room's jobs are read from the store: %s", error, extra={"room": room})
        try:
            async with asyncio.timeout(READ_SECONDS), self._rooms.held(room) as handle:
                return await stored(handle)
        except (TimeoutError, TryLater, StoreUnavailable) as error:
            logger.warning("a room's jobs cannot be read: %s", error, extra={"room": room})
            return last or []


async def _stored_jobs(handle: RoomHandle) -> list[JobView]:
    book = await _stored(handle)
    return [job.view() for job in reversed(book.jobs.values())]


async def _stored_suggestions(handle: RoomHandle) -> list[SuggestionView]:
    book = await _stored(handle)
    return [view(suggestion, handle.document) for suggestion in book.suggestions.open()]


async def _stored(handle: RoomHandle) -> Book:
    kinds = (JOB, LEDGER, REDO, SUGGESTION)
    return Book.read({kind: await handle.records(kind) for kind in kinds}, interrupt=None)
