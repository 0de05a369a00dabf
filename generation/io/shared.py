"""Jobs on several nodes. Implements generation.service.

Each room's jobs are kept by one node, whose engine does all that is asked; the others pass it on. What runs next
is decided by a board that all nodes share. When a keeper is gone, whoever takes its place reads the book of the
room from the records and goes on with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, assert_never

from collab.errors import CollabError, StoreError
from collab.ids import JobId, NodeId, RoomId, short_id
from collab.ledger import Ledger
from collab.merge.contest import Resolver
from collab.ports import Clock
from generation.cache import AnswerCache
from generation.events import GenerationEvent
from generation.io.asking import Asking
from generation.io.following import Following
from generation.io.gathering import Gathering
from generation.io.kept_engine import KeptEngine
from generation.io.reading import READ_SECONDS, Reading
from generation.io.tickets import PACE, Pace, Tickets
from generation.ports import Models, Random, Rooms
from generation.questions import (
    AnswerAll,
    AnswerSuggestion,
    Cancel,
    ListJobs,
    ListSuggestions,
    Move,
    Offer,
    Pause,
    Prioritise,
    Question,
    Record,
    Redo,
    Result,
    Resume,
    Retry,
    Steer,
    Submit,
    Undo,
)
from generation.settings import GenerationSettings
from generation.sharing import JobBoard, Peers, Ticket
from generation.turns import RoomTurns
from generation.usage import Usage
from generation.views import (
    AnsweredAll,
    Asker,
    Choice,
    GenerationRequest,
    JobView,
    ModelView,
    NewChange,
    Priority,
    SuggestionView,
)

DRAIN_SECONDS: Final = 8.0
"""A node that cannot store what it hands over leaves after that; its lease ends a little later."""

logger = logging.getLogger(__name__)


class SharedGeneration:
    """The jobs of all nodes, as this one sees them. Built once; ``run`` is owned by the process's task group."""

    def __init__(
        self,
        rooms: Rooms,
        models: Models,
        settings: GenerationSettings,
        clock: Clock,
        random: Random,
        peers: Peers,
        board: JobBoard,
        pace: Pace = PACE,
        resolver: Resolver | None = None,
        cache: AnswerCache | None = None,
        gathering: Gathering | None = None,
        usage: Usage | None = None,
    ) -> None:
        """``usage`` counts for all nodes; without it each counts alone."""
        self._rooms = rooms
        self._peers = peers
        self._wake = asyncio.Event()
        self._turns = RoomTurns(settings.running_per_room, self._wake.set)
        self._clock = clock
        self._random = random
        self._engine = KeptEngine(
            rooms,
            models,
            settings,
            clock,
            random,
            peers=peers,
            turns=self._turns,
            resolver=resolver,
            cache=cache,
            gathering=gathering,
            usage=usage,
        )
        self._asking = Asking(peers, clock, random, self._carry_out)
        self._reading = Reading(rooms, clock, self._ask_jobs, self._ask_suggestions, self._keeps)
        self._following = Following(rooms, self._engine, self._reading)
        self._tickets = Tickets(peers, board, self._turns, self, clock, settings.jobs_running, self._wake, pace)
        self._group: asyncio.TaskGroup | None = None
        peers.serve(self._asking.answer, self.lost, self.overheard, self.restored)

    @property
    def model_name(self) -> str | None:
        """The configured model; None when only the offline one is there."""
        return self._engine.model_name

    @property
    def models(self) -> tuple[ModelView, ...]:
        """See GenerationService.models."""
        return self._engine.models

    async def run(self) -> None:
        """Works until cancelled or drained. What runs when it is cancelled is queued again for another node."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            counting = group.create_task(self._engine.metering.run())
            warming = group.create_task(self._engine.prewarm(), name="prewarm")
            try:
                await self._tickets.run()
            finally:
                self._group = None
                counting.cancel()
                warming.cancel()

    async def drain(self) -> None:
        """Hands this node's jobs and rooms over to the others, and takes no more.

        Returns after ``DRAIN_SECONDS`` at most.
        """
        self._asking.leave()
        self._tickets.stop()
        workers = self._engine.workers
        for job in workers.jobs():
            workers.set_aside(job)
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                for room in self._engine.rooms():
                    if self._peers.keep(room) is not None:
                        await self._hand_over(room)
                await self._tickets.leave()
        except TimeoutError:
            logger.warning("not all jobs could be handed over in %g s; other nodes find them", DRAIN_SECONDS)
        except StoreError as error:
            logger.warning("not all jobs could be handed over; other nodes find them: %s", error.message)

    async def _hand_over(self, room: RoomId) -> None:
        try:
            await self.give_up(room)
        except CollabError as error:
            logger.warning("a room's jobs were not handed over: %s", error.message, extra={"room": room})

    # What people ask

    async def submit(self, room: RoomId, request: GenerationRequest, asker: Asker) -> JobView:
        """Queues a job; see generation.service."""
        self._engine.check(request)
        job = self._engine.new_job()
        async with self._following.opened(room, job):
            return _job(await self._ask(Submit(room, job, request, asker)))

    async def cancel(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Stops a job at once; see generation.service."""
        return _job(await self._ask(Cancel(room, job, asker)))

    async def retry(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Asks again; see generation.service."""
        async with self._following.opened(room, JobId(job)):
            return _job(await self._ask(Retry(room, job, asker)))

    async def pause(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Has a job wait; see generation.service."""
        return _job(await self._ask(Pause(room, job, asker)))

    async def resume(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Has a paused job go on; see generation.service."""
        return _job(await self._ask(Resume(room, job, asker)))

    async def steer(self, room: RoomId, job: str, sentence: str, asker: Asker) -> JobView:
        """Tells a job something further; see generation.service."""
        return _job(await self._ask(Steer(room, job, sentence, asker, short_id(self._random, "k", 10))))

    async def move(self, room: RoomId, job: str, position: int, asker: Asker) -> JobView:
        """Gives a waiting job another place; see generation.service."""
        return _job(await self._ask(Move(room, job, position, asker)))

    async def prioritise(self, room: RoomId, job: str, priority: Priority, asker: Asker) -> JobView:
        """Gives a waiting job another priority; see generation.service."""
        return _job(await self._ask(Prioritise(room, job, priority, asker)))

    async def undo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Takes back what a job wrote; see generation.service."""
        return _job(await self._ask(Undo(room, job, asker)))

    async def redo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Puts back what the last undo took; see generation.service."""
        return _job(await self._ask(Redo(room, job, asker)))

    async def answer(
        self, room: RoomId, suggestion: str, choice: Choice, asker: Asker, text: str = ""
    ) -> SuggestionView:
        """Answers a suggestion; see generation.service."""
        result = await self._ask(AnswerSuggestion(room, suggestion, choice, asker, text))
        assert isinstance(result, SuggestionView)
        return result

    async def answer_all(
        self, room: RoomId, job: str, path: str | None, choice: Choice, asker: Asker
    ) -> AnsweredAll:
        """Answers all suggestions of a job or a file of it; see generation.service."""
        result = await self._ask(AnswerAll(room, job, path, choice, asker))
        assert isinstance(result, AnsweredAll)
        return result

    async def record(self, room: RoomId, change: NewChange, asker: Asker) -> JobView:
        """Notes a change that was made at once; see generation.service."""
        return _job(await self._ask(Record(room, change, asker)))

    async def jobs(self, room: RoomId) -> list[JobView]:
        """The room's jobs, newest first; when the keeper cannot be reached, as they were stored."""
        return await self._reading.jobs(room)

    async def suggestions(self, room: RoomId, *, all_of_them: bool = False) -> list[SuggestionView]:
        """The suggestions that wait for an answer, oldest first, in the same way; only the keeper tells all."""
        if all_of_them:
            found = await self._ask(ListSuggestions(room, all_of_them=True))
            assert isinstance(found, list)
            return [one for one in found if isinstance(one, SuggestionView)]
        return await self._reading.suggestions(room)

    def ledgers(self, room: RoomId) -> list[Ledger]:
        """What the room's jobs have done, if this node keeps them; see generation.service."""
        return self._engine.ledgers(room)

    def forget(self, room: RoomId) -> None:
        """The room is deleted, here or elsewhere; every node is told so."""
        self._engine.forget(room)
        self._asking.forget(room)
        self._following.forget(room)
        self._reading.forget(room)

    def watch(self, job: str) -> AbstractAsyncContextManager[AsyncIterator[GenerationEvent]]:
        """The job's events, wherever it runs; see generation.service. Raises NotFound on entering."""
        return self._watch(JobId(job))

    @asynccontextmanager
    async def _watch(self, job: JobId) -> AsyncIterator[AsyncIterator[GenerationEvent]]:
        async with self._following.watch(job) as events:
            yield events

    # What the other nodes say

    def overheard(self, room: RoomId, event: GenerationEvent) -> None:
        """Another node's jobs announced something in a room."""
        self._following.overheard(room, event)

    def renewed(self) -> None:
        """Anything may have been missed: what is watched is looked at again."""
        self._following.renewed()

    def lost(self, rooms: Sequence[RoomId]) -> None:
        """Stops at once, and without a trace, what runs in rooms that this node keeps no more."""
        for room in rooms:
            self._engine.drop(room)
            self._asking.forget(room)
            self._reading.drop(room)

    def restored(self, room: RoomId) -> None:
        """The store had lost something of a room: its keeper writes the records again, and the tickets."""
        self._reading.drop(room)
        if self._peers.keep(room) is not None and self._group is not None:
            self._turns.doubt(self._clock.monotonic() + 1)
            self._group.create_task(self._rewrite(room))

    async def _rewrite(self, room: RoomId) -> None:
        try:
            await self._engine.rewrite(room)
        except CollabError as error:
            logger.error("a room's jobs were not stored again: %s", error.message, extra={"room": room})

    # What the tickets need

    async def adopt(self, room: RoomId) -> None:
        """Reads the book of a room that this node keeps. Raises StoreError, KeepLost."""
        await self._engine.adopt(room)

    def start(self, room: RoomId, job: JobId, group: asyncio.TaskGroup) -> asyncio.Task[None]:
        """Runs a job in a task of the group."""
        return self._engine.start(room, job, group)

    async def give_up(self, room: RoomId) -> None:
        """Ends this node's keep of a room in which nothing runs. Raises StoreError."""
        await self._engine.settled(room)
        # Up to the first wait of ``unclaim`` nothing comes between: the node does no more in the room.
        self._engine.drop(room)
        await self._peers.unclaim(room)

    async def offer(self, node: NodeId, ticket: Ticket) -> bool:
        """Whether the keeper takes a ticket; False when it has given up the room. Raises TryLater, KeepLost."""
        return await self._asking.tell(node, Offer(ticket.room, ticket)) is True

    # Inside

    async def _carry_out(self, question: Question) -> Result:
        engine = self._engine
        match question:
            case Submit(room, job, request, asker):
                return await engine.submit(room, request, asker, job)
            case Cancel(room, ref, asker):
                return await engine.cancel(room, ref, asker)
            case Retry(room, ref, asker):
                return await engine.retry(room, ref, asker)
            case Pause(room, ref, asker):
                return await engine.pause(room, ref, asker)
            case Resume(room, ref, asker):
                return await engine.resume(room, ref, asker)
            case Steer(room, ref, sentence, asker, key):
                return await engine.steer(room, ref, sentence, asker, key)
            case Move(room, ref, position, asker):
                return await engine.move(room, ref, position, asker)
            case Prioritise(room, ref, priority, asker):
                return await engine.prioritise(room, ref, priority, asker)
            case Undo(room, ref, asker):
                return await engine.undo(room, ref, asker)
            case Redo(room, ref, asker):
                return await engine.redo(room, ref, asker)
            case AnswerSuggestion(room, suggestion, choice, asker, text):
                return await engine.answer(room, suggestion, choice, asker, text)
            case AnswerAll(room, ref, path, choice, asker):
                return await engine.answer_all(room, ref, path, choice, asker)
            case Record(room, change, asker):
                return await engine.record(room, change, asker)
            case ListJobs(room):
                return await engine.jobs(room)
            case ListSuggestions(room, all_of_them):
                return await engine.suggestions(room, all_of_them=all_of_them)
            case Offer(_, ticket):
                return await self._tickets.accept(ticket)
            case _:
                assert_never(question)

    async def _ask(self, question: Question) -> Result:
        try:
            return await self._asking.ask(question)
        finally:
            self._reading.drop(question.room)

    def _keeps(self, room: RoomId) -> bool:
        return self._peers.keep(room) is not None

    async def _ask_jobs(self, room: RoomId) -> list[JobView]:
        found = await self._asking.ask(ListJobs(room), READ_SECONDS)
        assert isinstance(found, list)
        return [one for one in found if isinstance(one, JobView)]

    async def _ask_suggestions(self, room: RoomId) -> list[SuggestionView]:
        found = await self._asking.ask(ListSuggestions(room), READ_SECONDS)
        assert isinstance(found, list)
        return [one for one in found if isinstance(one, SuggestionView)]


def _job(result: Result) -> JobView:
    assert isinstance(result, JobView)
    return result
