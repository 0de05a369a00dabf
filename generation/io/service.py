"""The engine: takes requests, runs jobs, keeps their records. Implements generation.service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from collab.errors import Conflict, LimitExceeded, NotFound
from collab.ids import JobId, RoomId, client_id, short_id
from collab.ledger import Ledger
from collab.merge.contest import Resolver
from collab.ports import Clock
from generation.book import Book, Change, view
from generation.cache import AnswerCache
from generation.events import (
    GenerationEvent,
    JobFinished,
    JobStarted,
)
from generation.experience import Experience
from generation.io.admission import Admission
from generation.io.answering import Answering
from generation.io.answers import Answers
from generation.io.changing import Changing
from generation.io.exchange import Exchange, Pause
from generation.io.gathering import Gathering
from generation.io.lateness import Lateness
from generation.io.metering import Metering
from generation.io.places import Places
from generation.io.prewarming import Prewarming
from generation.io.reporting import Reporting
from generation.io.shelves import Shelves
from generation.io.steering import Steering
from generation.io.watching import Watchers
from generation.io.workers import Workers
from generation.jobs import Job
from generation.ports import Model, Models, Random, RoomHandle, Rooms
from generation.queue import JobQueue, Turns
from generation.settings import GenerationSettings
from generation.sharing import Peers
from generation.usage import MemoryUsage, Usage
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


class GenerationEngine:
    """All jobs of this process. Built once; ``run`` is owned by the process's task group.

    Where several nodes share rooms, ``SharedGeneration`` builds a ``KeptEngine``, asks it only for what this node
    keeps, and runs the jobs itself, in the ``turns`` that it gives. Everything then raises KeepLost as well.
    """

    def __init__(
        self,
        rooms: Rooms,
        models: Models,
        settings: GenerationSettings,
        clock: Clock,
        random: Random,
        *,
        peers: Peers | None = None,
        turns: Turns | None = None,
        resolver: Resolver | None = None,
        pause: Pause = asyncio.sleep,
        cache: AnswerCache | None = None,
        gathering: Gathering | None = None,
        usage: Usage | None = None,
    ) -> None:
        """``pause`` waits before a model that failed is asked again; ``cache`` keeps answers for further use.

        ``usage`` counts for all nodes; without it this process counts alone.
        """
        self._rooms = rooms
        self._models = models
        self._settings = settings
        self._clock = clock
        self._random = random
        self._queue = JobQueue(settings.jobs_running, settings.running_per_room)
        self._turns: Turns = turns if turns is not None else self._queue
        self._watchers = Watchers(settings.watch_events)
        self._experience = Experience()
        self._answers = Answers(cache, clock) if cache is not None else None
        self._exchange = Exchange(models, settings, clock, random, pause, answers=self._answers)
        self._admission = Admission(models, settings, clock, random)
        self._alone = usage is None
        self._metering = Metering(usage or MemoryUsage(clock), settings.quotas, clock, self._active)
        self._reporting = Reporting(self._watchers, self._ended_job)
        self._places = Places(self._turns, self._reporting)
        self._shelves = Shelves(
            self._turns,
            self._reporting,
            random,
            peers,
            self._drop_work,
            self._experience,
            clock,
            self._loaded,
        )
        self._workers = Workers(
            rooms,
            self._exchange,
            settings,
            clock,
            random,
            self._watchers,
            self._reporting,
            self._freed,
            self._experience,
            self._places,
            self._metering,
            shared=peers is not None,
            resolver=resolver,
            gathering=gathering,
        )
        self._lateness = Lateness(self._shelves.book, self._reporting, clock, random)
        self._steering = Steering(self._places, self._workers, self._reporting, settings, random)
        self._answering = Answering(self._reporting, self._workers, clock, random)
        self._changing = Changing(
            self._reporting, clock, random, kept=settings.jobs_kept, shared=peers is not None
        )
        self._wake = asyncio.Event()
        self._draining = False
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def model_name(self) -> str | None:
        """The configured model; None when only the offline one is there."""
        return self._models.default

    @property
    def models(self) -> tuple[ModelView, ...]:
        """See GenerationService.models."""
        return tuple(
            ModelView(spec.name, spec.context_tokens, tuple(sorted(spec.capabilities)))
            for spec in self._models.catalog
        )

    async def run(self) -> None:
        """Works until cancelled or drained; jobs that run then end as interrupted."""
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as group:
                counting = group.create_task(self._metering.run())
                warming = group.create_task(self.prewarm(), name="prewarm")
                while not self._draining:
                    while taken := self._queue.pop():
                        self._workers.start(self._shelves, *taken, group)
                    self._wake.clear()
                    await self._wake.wait()
                warming.cancel()
                for job in self._workers.jobs():
                    active = self._workers.get(job)
                    if active is not None and active.task is not None:
                        active.task.cancel()
                counting.cancel()
        finally:
            self._ended.set()

    async def prewarm(self) -> None:
        """Asks configured prompts ahead until cancelled; ends at once where there are none, or no cache."""
        if self._answers is None or self._models.default is None:
            return
        settings = self._settings
        prewarming = Prewarming(
            self._rooms,
            self._answers,
            self._workers.rehearse,
            settings.prewarm,
            settings.prewarm_every,
            self._clock,
            self._random,
            self._exchange.pause,
            lambda: len(self._workers.jobs()) >= settings.jobs_running,
        )
        await prewarming.run()

    async def drain(self) -> None:
        """Stops the jobs that run, which end as interrupted, and begins no more."""
        self._draining = True
        self._wake.set()
        await self._ended.wait()

    async def submit(
        self, room: RoomId, request: GenerationRequest, asker: Asker, job: JobId | None = None
    ) -> JobView:
        """Queues a job; see generation.service. The same ``job``, an id for it, a second time does nothing."""
        model = self.check(request)
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            if job is not None and job in book.jobs:
                return book.jobs[job].view()
            self._admission.room(book)
            for file in request.files:
                handle.document.file(file)
            ref = job if job is not None else self.new_job()
            await self._metering.admit(room, ref, asker.person)
            book = await self._book(handle)
            if ref in book.jobs:
                return book.jobs[ref].view()
            try:
                self._admission.room(book)
            except LimitExceeded:
                self._metering.ended(room, ref, asker.person)
                raise
            queued = self._admission.job(ref, request, asker, model, handle.document.settings())
            book.jobs[queued.id] = queued
            for change in book.trim(self._settings.jobs_kept):
                self._put(handle, change)
            return self._enqueue(handle, book, queued)

    def check(self, request: GenerationRequest) -> Model:
        """The model of a request. Raises InvalidInput, LimitExceeded."""
        return self._admission.request(request)

    def new_job(self) -> JobId:
        """An id for a job."""
        return JobId(short_id(self._random, "j"))

    async def cancel(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Stops a job at once; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            found = book.job(job)
            if found.ended:
                raise Conflict(f"The job {found.id} has ended already ({found.state}).", field="job")
            self._turns.remove(found.id)
            self._workers.halt(found)
            found.cancel(asker.name)
            self._reporting.finished(handle, found)
            self._places.refresh(handle, book)
            return found.view()

    async def retry(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Asks again; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            found = book.job(job)
            found.may_be_retried()
            self._models.spec(found.requested_model)
            self._admission.room(book)
            await self._metering.admit(room, found.id, found.person)
            book = await self._book(handle)
            found = book.job(job)
            found.retry(client_id(self._random))
            if found.undone:
                self._put(handle, book.begin_anew(found.id))
                found.forget_written()
            for change in book.drop_redo(found.id):
                self._put(handle, change)
            return self._enqueue(handle, book, found)

    async def pause(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Has a job wait; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            self._steering.pause(handle, book, book.job(job), asker)
            return book.job(job).view()

    async def resume(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Has a paused job go on; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            self._steering.resume(handle, book, book.job(job), asker)
            self._wake.set()
            return book.job(job).view()

    async def steer(self, room: RoomId, job: str, sentence: str, asker: Asker, key: str = "") -> JobView:
        """Tells a job something further; see generation.service. The same ``key`` a second time does nothing."""
        self._admission.prompt(sentence)
        async with self._rooms.held(room) as handle:
            found = (await self._book(handle)).job(job)
            self._steering.steer(handle, found, sentence, asker, key)
            return found.view()

    async def move(self, room: RoomId, job: str, position: int, asker: Asker) -> JobView:
        """Gives a waiting job another place; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            self._steering.move(handle, book, book.job(job), position)
            self._wake.set()
            return book.job(job).view()

    async def prioritise(self, room: RoomId, job: str, priority: Priority, asker: Asker) -> JobView:
        """Gives a waiting job another priority; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            self._steering.prioritise(handle, book, book.job(job), priority)
            self._wake.set()
            return book.job(job).view()

    async def undo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Takes back what a job wrote; see generation.service."""
        return await self._turn(room, job, asker, redo=False)

    async def redo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Puts back what the last undo took; see generation.service."""
        return await self._turn(room, job, asker, redo=True)

    async def _turn(self, room: RoomId, ref: str, asker: Asker, *, redo: bool) -> JobView:
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            people = await handle.beside()
            return self._changing.turn(handle, book, people, ref, asker, redo=redo)

    async def jobs(self, room: RoomId) -> list[JobView]:
        """The room's jobs, newest first."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            return [job.view() for job in reversed(book.jobs.values())]

    async def suggestions(self, room: RoomId, *, all_of_them: bool = False) -> list[SuggestionView]:
        """The suggestions that wait for an answer, or all that are remembered, oldest first."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            some = book.suggestions.all() if all_of_them else book.suggestions.open()
            return [view(suggestion, handle.document) for suggestion in some]

    async def answer(
        self, room: RoomId, suggestion: str, choice: Choice, asker: Asker, text: str = ""
    ) -> SuggestionView:
        """Answers a suggestion; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            return self._answering.one(handle, book, suggestion, choice, text, asker)

    async def answer_all(
        self, room: RoomId, job: str, path: str | None, choice: Choice, asker: Asker
    ) -> AnsweredAll:
        """Answers all suggestions of a job or a file of it; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            done, failed = self._answering.all(handle, book, job, path, choice, asker)
            return AnsweredAll(len(done), tuple(failed), book.job(job).view())

    async def record(self, room: RoomId, change: NewChange, asker: Asker) -> JobView:
        """Notes a change that was made at once; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            await handle.caught_up()
            return self._changing.note(handle, book, change, asker)

    def watch(self, job: str) -> AbstractAsyncContextManager[AsyncIterator[GenerationEvent]]:
        """The job's events; see generation.service. Raises NotFound on entering."""
        return self._watch(JobId(job))

    @asynccontextmanager
    async def _watch(self, job: JobId) -> AsyncIterator[AsyncIterator[GenerationEvent]]:
        found = self._shelves.of(job)
        if found is None:
            raise NotFound(f"There is no job {job[:80]!r}; ask for the list of jobs.", field="job")
        ended = JobFinished(found[1].view()) if found[1].ended else None
        with self._watchers.read(job, ended) as events:
            yield events

    def ledgers(self, room: RoomId) -> list[Ledger]:
        """What the room's jobs have done; see generation.service."""
        book = self._shelves.book(room)
        return book.ledgers_beside(JobId("")) if book is not None else []

    def forget(self, room: RoomId) -> None:
        """The room is deleted: its jobs end and are remembered no more."""
        book = self._shelves.pop(room)
        self._experience.forget(room)
        if self._answers is not None:
            self._answers.forget(room)
        self._turns.drop(room)
        for job in book.jobs.values() if book is not None else ():
            active = self._workers.release(job.id)
            job.interrupt(self._clock.wall_ms(), paused=True)
            self._metering.ended(room, job.id, job.person)
            self._watchers.publish(job.id, JobFinished(job.view()))
            if active is not None and active.run is not None:
                active.run.vanish()
            if active is not None and active.task is not None:
                active.task.cancel()

    @property
    def metering(self) -> Metering:
        """The count of what is asked of the models; whoever runs the jobs runs it too."""
        return self._metering

    # Inside

    def _drop_work(self, room: RoomId) -> None:
        self._turns.drop(room)
        for job in self._workers.in_room(room):
            self._workers.drop(job)

    def _enqueue(self, handle: RoomHandle, book: Book, job: Job) -> JobView:
        self._watchers.open(job.id)
        self._places.push(handle, book, job)
        self._reporting.save(handle, job)
        self._reporting.tell(handle, job, JobStarted(job.view()))
        self._wake.set()
        return job.view()

    def _loaded(self, handle: RoomHandle, book: Book) -> None:
        self._places.refresh(handle, book)
        if self._alone:
            self._metering.restore(handle.room, book.jobs.values())

    def _active(self) -> Iterator[tuple[RoomId, Job]]:
        return self._shelves.active()

    def _ended_job(self, room: RoomId, job: Job) -> None:
        self._metering.ended(room, job.id, job.person)

    def _freed(self, job: JobId) -> None:
        self._places.done(job)
        self._wake.set()

    def _put(self, handle: RoomHandle, change: Change) -> None:
        self._reporting.put(handle, change)

    async def _book(self, handle: RoomHandle) -> Book:
        book = await self._shelves.read(handle)
        self._lateness.watch(handle, book)
        return book
