"""The engine: takes requests, runs jobs, keeps their records. Implements generation.service."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from collab.errors import CollabError, Conflict, InvalidInput, LimitExceeded, NotFound
from collab.ids import JobId, RoomId, SuggestionId, client_id, short_id
from collab.ledger import Ledger
from collab.merge.suggestions import Suggestion, accept
from collab.origin import JobOrigin, UndoOrigin
from collab.ports import Clock
from collab.undo import undo
from generation.book import JOB, LEDGER, REDO, SUGGESTION, Book, Change, view, with_place
from generation.errors import StaleEpoch
from generation.events import (
    GenerationEvent,
    JobChanged,
    JobFinished,
    JobStarted,
    SuggestionAnswered,
)
from generation.io.run import Run
from generation.io.watching import Watchers
from generation.jobs import COLORS, Job
from generation.ports import Models, Random, RoomHandle, Rooms
from generation.queue import JobQueue
from generation.recovery import recovered
from generation.settings import GenerationSettings
from generation.views import Asker, Choice, GenerationRequest, JobView, SuggestionView

MOST_BOOKS: Final = 500
"""Rooms whose jobs are kept in memory, beside those with active ones."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Shelf:
    """A room's book, once it is read."""

    book: Book | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class _Active:
    """A job that a worker has taken."""

    task: asyncio.Task[None] | None = None
    run: Run | None = None


class GenerationEngine:
    """All jobs of this process. Built once; ``run`` is owned by the process's task group."""

    def __init__(
        self, rooms: Rooms, models: Models, settings: GenerationSettings, clock: Clock, random: Random
    ) -> None:
        self._rooms = rooms
        self._models = models
        self._settings = settings
        self._clock = clock
        self._random = random
        self._queue = JobQueue(settings.jobs_running, settings.running_per_room)
        self._shelves: OrderedDict[RoomId, _Shelf] = OrderedDict()
        self._active: dict[JobId, _Active] = {}
        self._watchers = Watchers(settings.watch_events)
        self._wake = asyncio.Event()

    @property
    def model_name(self) -> str | None:
        """The configured model; None when only the offline one is there."""
        return self._models.default

    async def run(self) -> None:
        """Works until cancelled; jobs that run then end as interrupted."""
        async with asyncio.TaskGroup() as group:
            while True:
                while taken := self._queue.pop():
                    room, job = taken
                    active = self._active[job] = _Active()
                    active.task = group.create_task(self._work(room, job, active), name=f"job {job}")
                self._wake.clear()
                await self._wake.wait()

    async def submit(self, room: RoomId, request: GenerationRequest, asker: Asker) -> JobView:
        """Queues a job; see generation.service."""
        prompt = self._checked_prompt(request.prompt)
        model = self._models.open(request.model)
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            self._check_room(book)
            for ref in request.files:
                handle.document.file(ref)
            job = Job(
                id=JobId(short_id(self._random, "j")),
                prompt=prompt,
                asked_by=asker.name,
                person=asker.person,
                model=model.name,
                offline=model.offline,
                clients=[client_id(self._random)],
                color=COLORS[self._random.getrandbits(16) % len(COLORS)],
                created_ms=self._clock.wall_ms(),
                requested_files=tuple(request.files),
                requested_strategy=request.strategy,
                mode="review" if model.offline else request.mode,
                priority=request.priority,
            )
            book.jobs[job.id] = job
            for change in book.trim(self._settings.jobs_kept):
                self._put(handle, change)
            return self._enqueue(handle, job)

    async def cancel(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Stops a job at once; see generation.service."""
        async with self._rooms.held(room) as handle:
            found = (await self._book(handle)).job(job)
            if found.ended:
                raise Conflict(f"The job {found.id} has ended already ({found.state}).", field="job")
            self._queue.remove(found.id)
            active = self._release(found.id)
            if active is not None and active.run is not None:
                self._abort(active.run, found)
            found.cancel(asker.name)
            self._finished(handle, found)
            if active is not None and active.task is not None:
                active.task.cancel()
            return found.view()

    async def retry(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Asks again; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            found = book.job(job)
            self._models.open(found.model)
            if found.ended:
                self._check_room(book)
            found.retry(client_id(self._random))
            if found.undone:
                self._put(handle, book.begin_anew(found.id))
                found.forget_written()
            for change in book.drop_redo(found.id):
                self._put(handle, change)
            return self._enqueue(handle, found)

    async def undo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Takes back what a job wrote; see generation.service."""
        return await self._turn(room, job, asker, redo=False)

    async def redo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Puts back what the last undo took; see generation.service."""
        return await self._turn(room, job, asker, redo=True)

    async def _turn(self, room: RoomId, ref: str, asker: Asker, *, redo: bool) -> JobView:
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            job = book.job(ref)
            if not job.ended:
                raise Conflict(f"The job {job.id} still runs; cancel it first.", field="job")
            stored = (book.redos if redo else book.ledgers).get(job.id)
            if stored is None or not job.wrote or job.undone is not redo:
                what = "redo: it was not undone" if redo else "undo: it has changed nothing, or is undone already"
                raise Conflict(f"The job {job.id} has nothing to {what}.", field="job")
            ledger = Ledger.from_bytes(stored)
            if not redo:
                ledger = recovered(ledger, job.clients, handle.document)
            update, reverse = undo(ledger, handle.document, book.ledgers_beside(job.id), again=redo)
            if update is not None:
                handle.apply(update, UndoOrigin(job.id, asker.person, redo))
            job.undone = not redo
            if redo:
                changes = [book.put_ledger(job.id, reverse), *book.drop_redo(job.id)]
            else:
                data = book.redos[job.id] = reverse.to_bytes()
                changes = [Change(REDO, job.id, data)]
            for change in changes:
                self._put(handle, change)
            self._save(handle, job)
            handle.announce(JobChanged(job.view()))
            return job.view()

    async def jobs(self, room: RoomId) -> list[JobView]:
        """The room's jobs, newest first."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            return [job.view() for job in reversed(book.jobs.values())]

    async def suggestions(self, room: RoomId) -> list[SuggestionView]:
        """The suggestions that wait for an answer, oldest first."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            return [view(suggestion, handle.document) for suggestion in book.suggestions.open()]

    async def answer(self, room: RoomId, suggestion: str, choice: Choice, asker: Asker) -> SuggestionView:
        """Accepts or rejects a suggestion; see generation.service."""
        async with self._rooms.held(room) as handle:
            book = await self._book(handle)
            found = book.suggestions.get(SuggestionId(suggestion))
            if found.state != "open" or choice == "reject":
                answered = book.suggestions.answered(found.suggestion, "rejected", asker.name)
                return self._answered(handle, book, answered)
            placed = with_place(found, handle.document)
            try:
                update, ledger = accept(handle.document, placed, client_id(self._random))
            except Conflict:
                gone = book.suggestions.answered(found.suggestion, "gone", asker.name)
                self._answered(handle, book, gone)
                raise
            job = book.jobs.get(found.job)
            if update is not None:
                handle.apply(update, JobOrigin(found.job, asker.person))
            if job is not None:
                if job.undone:
                    # Only what is new can be undone now.
                    book.ledgers.pop(job.id, None)
                    job.undone = False
                for change in [book.extend_ledger(job.id, ledger), *book.drop_redo(job.id)]:
                    self._put(handle, change)
                active = self._active.get(job.id)
                if active is not None and active.run is not None:
                    active.run.accepted(ledger)
                job.wrote = True
                job.hunks_applied += 1
                job.touch((), [found.path])
            accepted = book.suggestions.answered(found.suggestion, "accepted", asker.name)
            return self._answered(handle, book, accepted)

    def watch(self, job: str) -> AbstractAsyncContextManager[AsyncIterator[GenerationEvent]]:
        """The job's events; see generation.service. Raises NotFound on entering."""
        return self._watch(JobId(job))

    @asynccontextmanager
    async def _watch(self, job: JobId) -> AsyncIterator[AsyncIterator[GenerationEvent]]:
        known = next(
            (shelf.book.jobs[job] for shelf in self._shelves.values() if shelf.book and job in shelf.book.jobs),
            None,
        )
        if known is None:
            raise NotFound(f"There is no job {job[:80]!r}; ask for the list of jobs.", field="job")
        ended = JobFinished(known.view()) if known.ended else None
        with self._watchers.read(job, ended) as events:
            yield events

    def forget(self, room: RoomId) -> None:
        """The room is deleted: its jobs end and are remembered no more."""
        shelf = self._shelves.pop(room, None)
        for job in shelf.book.jobs.values() if shelf and shelf.book else ():
            self._queue.remove(job.id)
            active = self._release(job.id)
            job.interrupt()
            self._watchers.publish(job.id, JobFinished(job.view()))
            if active is not None and active.task is not None:
                active.task.cancel()

    # One job

    async def _work(self, room: RoomId, job_id: JobId, active: _Active) -> None:
        shelf = self._shelves.get(room)
        job = shelf.book.jobs.get(job_id) if shelf and shelf.book else None
        try:
            if shelf is None or shelf.book is None or job is None:
                return
            epoch = job.begin()
            try:
                async with self._rooms.held(room) as handle:
                    await self._run(handle, shelf.book, job, epoch, active)
            except CollabError as error:
                job.fail(epoch, error.message)
                self._watchers.publish(job.id, JobFinished(job.view()))
        except StaleEpoch:
            logger.debug("job %s was ended while it ran", job_id)
        finally:
            if self._active.get(job_id) is active:
                self._release(job_id)

    async def _run(self, handle: RoomHandle, book: Book, job: Job, epoch: int, active: _Active) -> None:
        def tell(event: GenerationEvent) -> None:
            self._tell(handle, job, event)

        try:
            model = self._models.open(job.model)
        except InvalidInput as error:  # the settings have changed since it was asked
            job.fail(epoch, error.message)
            self._finished(handle, job)
            return
        run = active.run = Run(handle, book, job, epoch, model, self._settings, self._clock, self._random, tell)
        try:
            await run.go()
        except asyncio.CancelledError:
            if self._active.get(job.id) is active:  # nobody cancelled it: the process ends
                self._abort(run, job)
                job.interrupt()
                self._finished(handle, job)
            raise
        except StaleEpoch:
            raise
        except Exception:
            logger.exception("job %s failed", job.id)
            self._abort(run, job)
            job.fail(epoch, "The server made a mistake; its log says more. Retry the job.")
        self._finished(handle, job)

    def _abort(self, run: Run, job: Job) -> None:
        """Stops a run, whatever happens: the job's end must be noted in any case."""
        try:
            run.stop()
        except Exception:
            logger.exception("job %s could not be stopped in order", job.id)

    def _release(self, job: JobId) -> _Active | None:
        active = self._active.pop(job, None)
        if active is not None:
            self._queue.done(job)
            self._wake.set()
        return active

    def _enqueue(self, handle: RoomHandle, job: Job) -> JobView:
        self._watchers.open(job.id)
        self._save(handle, job)
        self._tell(handle, job, JobStarted(job.view()))
        self._queue.push(handle.room, job.id, job.priority)
        self._wake.set()
        return job.view()

    def _finished(self, handle: RoomHandle, job: Job) -> None:
        self._save(handle, job)
        self._tell(handle, job, JobFinished(job.view()))

    def _answered(self, handle: RoomHandle, book: Book, suggestion: Suggestion) -> SuggestionView:
        self._put(handle, Change(SUGGESTION, suggestion.suggestion, suggestion.to_bytes()))
        shown = view(suggestion, handle.document)
        handle.announce(SuggestionAnswered(shown))
        job = book.jobs.get(suggestion.job)
        if job is not None:
            job.settle(book.pending(job.id))
            self._save(handle, job)
            handle.announce(JobChanged(job.view()))
        return shown

    def _tell(self, handle: RoomHandle, job: Job, event: GenerationEvent) -> None:
        handle.announce(event)
        self._watchers.publish(job.id, event)

    def _save(self, handle: RoomHandle, job: Job) -> None:
        self._put(handle, Change(JOB, job.id, job.to_bytes()))

    def _put(self, handle: RoomHandle, change: Change) -> None:
        handle.put_record(change.kind, change.key, change.value)

    # Requests

    def _checked_prompt(self, prompt: str) -> str:
        if not prompt.strip():
            raise InvalidInput("The prompt is empty; say what to do.", field="prompt")
        if len(prompt) > self._settings.prompt_chars:
            raise LimitExceeded(
                f"The prompt has {len(prompt)} characters; at most {self._settings.prompt_chars} are allowed.",
                field="prompt",
            )
        try:
            prompt.encode()
        except UnicodeEncodeError:
            raise InvalidInput(
                "The prompt holds an unpaired surrogate; send valid Unicode.", field="prompt"
            ) from None
        return prompt

    def _check_room(self, book: Book) -> None:
        most = self._settings.jobs_per_room
        if book.active() >= most:
            raise LimitExceeded(f"This room has {most} jobs that wait or run; wait for one to end, or cancel one.")

    async def _book(self, handle: RoomHandle) -> Book:
        """The room's book, read once however many ask."""
        shelf = self._shelves.setdefault(handle.room, _Shelf())
        self._shelves.move_to_end(handle.room)
        if shelf.book is None:
            async with shelf.lock:
                if shelf.book is None:
                    kinds = (JOB, LEDGER, REDO, SUGGESTION)
                    shelf.book = Book.read({kind: await handle.records(kind) for kind in kinds})
                    for problem in shelf.book.problems:
                        logger.warning("room %s: a record was left out: %s", handle.room, problem)
            self._evict()
        return shelf.book

    def _evict(self) -> None:
        over = len(self._shelves) - MOST_BOOKS
        for room, shelf in list(self._shelves.items()):
            if over <= 0:
                return
            if shelf.book is not None and not shelf.book.active():
                del self._shelves[room]
                over -= 1
