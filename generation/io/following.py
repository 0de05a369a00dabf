"""Watching jobs that run at any node: what is overheard of them, and whether their end was missed."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from collab.errors import CollabError, NotFound
from collab.ids import JobId, RoomId
from generation.events import (
    GenerationEvent,
    JobChanged,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobTokens,
    SuggestionAdded,
    SuggestionAnswered,
)
from generation.io.kept_engine import KeptEngine
from generation.io.reading import Reading
from generation.ports import Rooms
from generation.states import ACTIVE, JobState
from generation.views import JobView

LOOK_SECONDS: Final = 2.0
"""How often a watched job that runs at another node is looked at, since its end may not have been heard."""
_MOST_JOBS: Final = 10_000

logger = logging.getLogger(__name__)


class Following:
    """The jobs that this node has heard of."""

    def __init__(self, rooms: Rooms, engine: KeptEngine, reading: Reading) -> None:
        self._rooms = rooms
        self._engine = engine
        self._watchers = engine.watchers
        self._reading = reading
        self._heard: OrderedDict[JobId, tuple[RoomId, JobView | None]] = OrderedDict()
        self._renewed = asyncio.Event()

    @asynccontextmanager
    async def opened(self, room: RoomId, job: JobId) -> AsyncIterator[None]:
        """While a job is asked for: holds the room, so that what becomes of the job is heard here.

        When asking for it fails, nothing of it is remembered.
        """
        known = job in self._heard or self._engine.room_of(job) is not None
        self._note(job, room, None)
        self._watchers.open(job)
        try:
            async with self._rooms.held(room):
                yield
        except BaseException:
            if not known:
                del self._heard[job]
                self._watchers.close(job)
            raise

    def overheard(self, room: RoomId, event: GenerationEvent) -> None:
        """Another node's jobs announced something in a room."""
        if not isinstance(event, JobTokens):
            self._reading.drop(room)
        match event:
            case JobStarted(view) | JobProgressed(view) | JobFinished(view) | JobChanged(view):
                job = JobId(view.job)
                self._note(job, room, view)
            case SuggestionAdded(suggestion) | SuggestionAnswered(suggestion):
                job = JobId(suggestion.job)
            case _:
                job = JobId(event.job)
        self._watchers.publish(job, event)

    def renewed(self) -> None:
        """Anything may have been missed."""
        self._renewed.set()
        self._renewed = asyncio.Event()

    def forget(self, room: RoomId) -> None:
        """The room is deleted: whoever watches one of its jobs is told that it ended."""
        for job, (of, view) in list(self._heard.items()):
            if of == room:
                del self._heard[job]
                if view is not None and view.state in ACTIVE:
                    self._watchers.publish(job, JobFinished(replace(view, state=JobState.INTERRUPTED.value)))

    @asynccontextmanager
    async def watch(self, job: JobId) -> AsyncIterator[AsyncIterator[GenerationEvent]]:
        """The job's events, ending with its end. Raises NotFound for a job that this node never heard of."""
        room = self._engine.room_of(job)
        if room is None and job in self._heard:
            room = self._heard[job][0]
        if room is None:
            raise NotFound(f"There is no job {job[:80]!r}; ask for the list of jobs.", field="job")
        async with self._rooms.held(room):
            view = await self._look(room, job)
            ended = JobFinished(view) if view is not None and view.state not in ACTIVE else None
            if ended is None:
                self._watchers.open(job)
            with self._watchers.read(job, ended) as events:
                if ended is not None:
                    self._watchers.publish(job, ended)
                follower = asyncio.create_task(self._follow(room, job), name=f"watch {job}")
                try:
                    yield events
                finally:
                    follower.cancel()
                    await asyncio.gather(follower, return_exceptions=True)

    async def _follow(self, room: RoomId, job: JobId) -> None:
        """Tells the job's end to its watchers should it not be heard."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._renewed.wait()
            except TimeoutError:
                logger.debug("a watched job is looked at", extra={"room": room})
            if self._engine.room_of(job) is not None:
                continue
            try:
                view = await self._look(room, job)
            except CollabError as error:
                logger.warning("a watched job cannot be looked at: %s", error.message, extra={"room": room})
                continue
            if view is not None and view.state not in ACTIVE:
                self._watchers.publish(job, JobFinished(view))
                return

    async def _look(self, room: RoomId, job: JobId) -> JobView | None:
        self._reading.drop(room)
        return next((view for view in await self._reading.jobs(room) if view.job == job), None)

    def _note(self, job: JobId, room: RoomId, view: JobView | None) -> None:
        if view is None and job in self._heard:
            view = self._heard[job][1]
        self._heard[job] = room, view
        self._heard.move_to_end(job)
        if len(self._heard) > _MOST_JOBS:
            old, _ = self._heard.popitem(last=False)
            self._watchers.close(old)
