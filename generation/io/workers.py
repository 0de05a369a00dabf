"""The jobs that run in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from collab.errors import CollabError, KeepLost
from collab.ids import JobId, RoomId, client_id, short_id
from collab.merge.contest import Resolver
from collab.ports import Clock
from collab.syntax.syntax import Syntax
from generation.book import Book
from generation.checks.checks import Checks
from generation.errors import FilesTaken, StaleEpoch
from generation.events import GenerationEvent, JobFinished, JobProgressed
from generation.experience import Experience
from generation.failures import SERVER_MISTAKE, code_of, severity_of
from generation.io.answers import Answers
from generation.io.exchange import Exchange
from generation.io.gathering import Gathering
from generation.io.metering import Metering
from generation.io.places import Places, Writing, words
from generation.io.reporting import Reporting
from generation.io.run import Run
from generation.io.shelves import Shelves
from generation.io.watching import Watchers
from generation.jobs import Job
from generation.ports import Random, RoomHandle, Rooms
from generation.queue import JobQueue
from generation.settings import GenerationSettings
from generation.takeover import HANDED_OVER

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Active:
    """A job that a worker has taken."""

    room: RoomId
    task: asyncio.Task[None] | None = None
    run: Run | None = None
    job: Job | None = None
    handle: RoomHandle | None = None
    again: bool = False
    """Whether the job begins anew in the same place once its task has ended what it does."""


class Workers:
    """Runs jobs, one task each. ``released`` is called when a job's place is free again.

    With ``shared``, another node goes on with what this one does not bring to its end.
    """

    def __init__(
        self,
        rooms: Rooms,
        exchange: Exchange,
        settings: GenerationSettings,
        clock: Clock,
        random: Random,
        watchers: Watchers,
        reporting: Reporting,
        released: Callable[[JobId], None],
        experience: Experience,
        places: Places,
        metering: Metering,
        *,
        shared: bool,
        resolver: Resolver | None = None,
        gathering: Gathering | None = None,
    ) -> None:
        self._rooms = rooms
        self._exchange = exchange
        self._settings = settings
        self._clock = clock
        self._random = random
        self._watchers = watchers
        self._reporting = reporting
        self._released = released
        self._experience = experience
        self._places = places
        self._metering = metering
        self._shared = shared
        self._resolver = resolver
        self._checks = Checks(Syntax())
        self._gathering = gathering
        self._active: dict[JobId, Active] = {}

    def start(self, shelves: Shelves, room: RoomId, job: JobId, group: asyncio.TaskGroup) -> asyncio.Task[None]:
        """Begins a queued job in a task of the group, which ends with it and raises nothing."""
        active = self._active[job] = Active(room)
        active.task = group.create_task(self._work(shelves, job, active), name=f"job {job}")
        return active.task

    def get(self, job: JobId) -> Active | None:
        """What works on a job now."""
        return self._active.get(job)

    def in_room(self, room: RoomId) -> list[JobId]:
        """The jobs of a room that run."""
        return [job for job, active in self._active.items() if active.room == room]

    def jobs(self) -> list[JobId]:
        """All jobs that run."""
        return list(self._active)

    def release(self, job: JobId) -> Active | None:
        """Lets a job's place go to the next one; whoever worked on it works for nobody any more."""
        active = self._active.pop(job, None)
        if active is not None:
            self._released(job)
        return active

    def halt(self, job: Job) -> None:
        """Ends the work on a job in order and lets its place go to the next one; nothing if nobody works on it."""
        active = self.release(job.id)
        if active is None:
            return
        if active.run is not None:
            self.abort(active.run, job)
        if active.task is not None:
            active.task.cancel()

    def stop(self, job: Job) -> None:
        """Ends the work on a job in order; its place stays its own, to ``begin_again``."""
        active = self._active.get(job.id)
        if active is not None and active.run is not None:
            self.abort(active.run, job)

    def begin_again(self, job: Job) -> None:
        """Begins a job anew, in the place that it has."""
        active = self._active.get(job.id)
        if active is not None and active.task is not None:
            active.again = True
            active.run = None
            active.task.cancel()

    def abort(self, run: Run, job: Job) -> None:
        """Stops a run, whatever happens: the job's end must be noted in any case."""
        try:
            run.stop()
        except StaleEpoch:
            logger.debug("job %s is another node's now", job.id)
        except Exception:
            logger.exception("job %s could not be stopped in order", job.id)

    def drop(self, job: JobId) -> None:
        """Ends the work on a job at once, without writing anything: another node may have it already."""
        active = self.release(job)
        if active is None:
            return
        if active.run is not None:
            active.run.vanish()
        if active.task is not None:
            active.task.cancel()

    def set_aside(self, job: JobId) -> RoomHandle | None:
        """Ends the work on a job in order and queues it again, for another node; the room that must be stored."""
        active = self.release(job)
        if active is None:
            return None
        if active.job is not None and active.handle is not None:
            self._hand_over(active.handle, active.run, active.job)
        if active.task is not None:
            active.task.cancel()
        return active.handle

    async def _work(self, shelves: Shelves, job_id: JobId, active: Active) -> None:
        try:
            while True:
                try:
                    await self._try(shelves, job_id, active)
                except asyncio.CancelledError:
                    task = asyncio.current_task()
                    if not active.again or task is None or task.uncancel():
                        raise
                if not active.again or self._active.get(job_id) is not active:
                    return
                active.again = False
        finally:
            if self._active.get(job_id) is active:
                self.release(job_id)

    async def _try(self, shelves: Shelves, job_id: JobId, active: Active) -> None:
        book = shelves.book(active.room)
        job = book.jobs.get(job_id) if book is not None else None
        try:
            if book is None or job is None:
                return
            epoch = job.begin()
            job.request_id = short_id(self._random, "r", 10)
            try:
                async with self._rooms.held(active.room) as handle:
                    await self._run(handle, book, job, epoch, active)
            except KeepLost as error:
                raise StaleEpoch(error.message) from error
            except CollabError as error:
                self._fail(job, epoch, error, error.message)
                self._metering.ended(active.room, job.id, job.person)
                self._watchers.publish(job.id, JobFinished(job.view()))
        except StaleEpoch:
            logger.debug("job %s was ended while it ran", job_id)
            if active.run is not None and self._active.get(job_id) is active:
                active.run.vanish()
        finally:
            if job is not None:
                self._metering.spent(active.room, job)

    async def _run(self, handle: RoomHandle, book: Book, job: Job, epoch: int, active: Active) -> None:
        def tell(event: GenerationEvent) -> None:
            self._reporting.tell(handle, job, event)

        self._places.refresh(handle, book)
        run = active.run = self._open(
            handle,
            book,
            job,
            epoch,
            self._exchange,
            tell,
            self._experience,
            self._places.writing(handle, book, job),
            shared=self._shared,
        )
        active.job, active.handle = job, handle
        if self._shared:
            # Whoever goes on with it must know that it was begun: it may be what ends its node.
            self._reporting.save(handle, job)
        try:
            if self._shared:
                # Before the first word lands: a keeper that takes it for one that never began would write under
                # the same client id.
                await handle.durable()
                job.check(epoch)
            await self._metering.check(handle.room, job)
            job.check(epoch)
            await run.go()
        except asyncio.CancelledError:
            if self._active.get(job.id) is active and not active.again:  # nobody cancelled it: the process ends
                if self._shared:
                    self._hand_over(handle, run, job)
                else:
                    self.abort(run, job)
                    job.interrupt(self._clock.wall_ms())
                    self._reporting.finished(handle, job)
            raise
        except StaleEpoch:
            raise
        except FilesTaken as taken:
            self._put_back(handle, book, job, epoch, taken)
            return
        except CollabError as error:
            self._fail(job, epoch, error, error.message)
        except Exception as error:
            logger.exception("job %s failed", job.id, extra={"request": job.request_id})
            self.abort(run, job)
            self._fail(job, epoch, error, SERVER_MISTAKE)
        self._reporting.finished(handle, job)

    def _fail(self, job: Job, epoch: int, error: Exception, message: str) -> None:
        job.fail(epoch, message, code=code_of(error), severity=severity_of(error), at_ms=self._clock.wall_ms())

    def _put_back(self, handle: RoomHandle, book: Book, job: Job, epoch: int, taken: FilesTaken) -> None:
        """Has a job wait in the queue for the files that it turned out to be about."""
        job.defer(epoch, taken.paths, client_id(self._random))
        self.release(job.id)
        self._places.push(handle, book, job)
        self._reporting.save(handle, job)
        self._reporting.tell(handle, job, JobProgressed(job.view(), words(book, job)))

    async def rehearse(self, handle: RoomHandle, book: Book, job: Job, answers: Answers) -> None:
        """Plays a job through that is in no book, for the answer that it leaves in the cache. It takes nobody's
        place, but what it takes counts for the room and the server. Raises StaleEpoch when it was given up,
        HourlyLimit.
        """
        await self._metering.check(handle.room, job)
        exchange = replace(self._exchange, answers=answers)
        # It is alone in a line of its own, so no file of it is another job's.
        writing = Places(JobQueue(1, 1), self._reporting).writing(handle, book, job)
        run = self._open(handle, book, job, job.begin(), exchange, _drop, Experience(), writing, shared=False)
        try:
            await run.go()
        finally:
            self._metering.spent(handle.room, job)

    def _open(
        self,
        handle: RoomHandle,
        book: Book,
        job: Job,
        epoch: int,
        exchange: Exchange,
        tell: Callable[[GenerationEvent], None],
        experience: Experience,
        writing: Writing,
        *,
        shared: bool,
    ) -> Run:
        return Run(
            handle,
            book,
            job,
            epoch,
            exchange,
            self._settings,
            self._clock,
            self._random,
            tell,
            experience,
            self._checks,
            writing,
            shared,
            self._resolver,
            self._gathering,
        )

    def _hand_over(self, handle: RoomHandle, run: Run | None, job: Job) -> None:
        if not handle.may_generate():
            if run is not None:
                run.vanish()
            return
        if run is not None:
            self.abort(run, job)
        if not job.running:
            return
        job.hand_over(client_id(self._random))
        self._reporting.save(handle, job)
        self._reporting.tell(handle, job, JobProgressed(job.view(), HANDED_OVER))


def _drop(event: GenerationEvent) -> None:
    """Nobody is told."""
