"""Asks configured prompts ahead, and again when what they are about has changed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from collab.errors import CollabError
from collab.ids import RoomId, client_id
from collab.ports import Clock
from generation.book import JOB_KINDS, Book
from generation.cache import CachedAnswer
from generation.errors import StaleEpoch
from generation.io.answers import Answers
from generation.io.exchange import Pause
from generation.io.rehearsing import Rehearsal
from generation.jobs import Job
from generation.ports import Random, RoomHandle, Rooms
from generation.prewarm import Wish
from generation.states import JobState

CLAIM_SECONDS: Final = 600.0
"""For so long no other process asks the same ahead."""

logger = logging.getLogger(__name__)

Rehearse = Callable[[RoomHandle, Book, Job, Answers], Awaitable[None]]
"""Plays a job through, with this cache. Raises StaleEpoch when that was given up."""


class NotNeeded(StaleEpoch):
    """Raised when an answer is there, or was asked for by somebody."""


class _Ahead(Answers):
    """The cache, for one wish: a model is asked only for what has not been asked before."""

    def __init__(self, answers: Answers, wish: Wish) -> None:
        self._answers = answers
        self._wish = wish
        self.asked: str | None = None
        """The key of what was asked last."""

    async def find(self, room: RoomId, key: str) -> CachedAnswer | None:
        """Always None. Raises NotNeeded if no model is to be asked."""
        if key == self.asked:
            raise NotNeeded(f"Nothing has changed in the room {room}.")
        self.asked = key
        if await self._answers.find(room, key) is not None:
            raise NotNeeded(f"The answer for the room {room} is there.")
        if not await self._answers.claim(room, key, CLAIM_SECONDS):
            raise NotNeeded(f"Another process asks for the room {room}.")
        return None

    async def keep(self, room: RoomId, key: str, text: str, model: str) -> None:
        """Keeps an answer."""
        await self._answers.keep(room, key, text, model)


@dataclass(slots=True)
class Prewarming:
    """The prompts of one process, one after the other. ``busy`` says when people's jobs need all there is."""

    rooms: Rooms
    answers: Answers
    rehearse: Rehearse
    wishes: Sequence[Wish]
    every: float
    """Seconds between two looks."""
    clock: Clock
    random: Random
    pause: Pause
    busy: Callable[[], bool]
    _known: dict[Wish, _Ahead] = field(default_factory=dict)

    async def run(self) -> None:
        """Works until cancelled."""
        while self.wishes:
            for wish in self.wishes:
                if not self.busy():
                    await self.warm(wish)
            await self.pause(self.every)

    async def warm(self, wish: Wish) -> bool:
        """Asks for one prompt if there is need; whether its answer was kept."""
        ahead = self._known.setdefault(wish, _Ahead(self.answers, wish))
        try:
            async with self.rooms.held(wish.room) as handle:
                book = Book.read({kind: await handle.records(kind) for kind in JOB_KINDS}, interrupt=False)
                job = wish.rehearsal(client_id(self.random), self.clock.wall_ms())
                await self.rehearse(Rehearsal(handle), book, job, ahead)
        except NotNeeded as reason:
            logger.debug("nothing is asked ahead: %s", reason.message)
            return False
        except (CollabError, StaleEpoch) as error:
            ahead.asked = None
            logger.warning("the room %s was not prepared for a prompt: %s", wish.room, error.message)
            return False
        if job.state in {JobState.COMPLETE, JobState.NEEDS_REVIEW}:
            logger.info("an answer is ready in the room %s for %r", wish.room, wish.prompt[:60])
            return True
        ahead.asked = None
        logger.warning("the room %s was not prepared for a prompt: %s", wish.room, job.error)
        return False
