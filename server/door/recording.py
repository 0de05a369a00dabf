"""Has changes noted by the keeper of a room's jobs, however long that cannot be reached."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Final

from collab.errors import CollabError, Conflict, KeepLost, StoreUnavailable, TryLater
from collab.ids import Random, RoomId, short_id
from generation.service import Asker, GenerationService, NewChange

FIRST_WAIT: Final = 1.0
MOST_WAIT: Final = 60.0
_PASSING: Final = (KeepLost, StoreUnavailable, TryLater)

logger = logging.getLogger(__name__)


class Recorder:
    """Tells changes to the keeper; those that it cannot take now are told again while ``run`` runs."""

    def __init__(self, generation: GenerationService, random: Random) -> None:
        self._generation = generation
        self._random = random
        self._group: asyncio.TaskGroup | None = None
        self._waiting = 0
        self.idle = asyncio.Event()
        """Nothing waits to be told again."""
        self.idle.set()

    async def run(self) -> None:
        """Tells again what could not be told, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    async def record(self, room: RoomId, change: NewChange, asker: Asker) -> str | None:
        """Has a change noted; the id under which it is, or None if it will be noted later.

        The change has been made, so that nothing is raised.
        """
        try:
            return await self._told(room, change, asker)
        except _PASSING as error:
            logger.warning("a change is not noted yet: %s", error.message, extra={"room": room})
            self._spawn(lambda: self._again(room, change, asker))
        except CollabError as error:
            logger.error("a change was not noted and cannot be undone as one: %s", error.message)
        return None

    async def _told(self, room: RoomId, change: NewChange, asker: Asker) -> str:
        try:
            return (await self._generation.record(room, change, asker)).job
        except Conflict:
            # Something else has this id by now, or it was undone in between: it is a change of its own then.
            other = replace(change, change=short_id(self._random, "c"))
            return (await self._generation.record(room, other, asker)).job

    async def _again(self, room: RoomId, change: NewChange, asker: Asker) -> None:
        wait = FIRST_WAIT
        try:
            while True:
                await asyncio.sleep(wait)
                wait = min(2 * wait, MOST_WAIT)
                try:
                    await self._told(room, change, asker)
                except _PASSING as error:
                    logger.warning("a change is still not noted: %s", error.message, extra={"room": room})
                else:
                    return
        except CollabError as error:
            logger.error("a change was not noted and cannot be undone as one: %s", error.message)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.idle.set()

    def _spawn(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        if self._group is not None:
            self._waiting += 1
            self.idle.clear()
            self._group.create_task(work())
