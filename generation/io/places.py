"""The places of a room's jobs in its line, and who writes which file, as the room is told of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from collab.document import Document
from collab.ids import FileId, JobId
from generation.book import Book
from generation.errors import FilesTaken
from generation.events import JobProgressed
from generation.io.reporting import Reporting
from generation.jobs import Job
from generation.line import Entry
from generation.ports import RoomHandle
from generation.queue import Turns
from generation.views import Priority


class Places:
    """The lines of all rooms of this process, with the words for them."""

    def __init__(self, turns: Turns, reporting: Reporting) -> None:
        self._turns = turns
        self._reporting = reporting
        self.freed = asyncio.Event()
        """Set when a job runs no more; then there is another one."""

    def done(self, job: JobId) -> None:
        """A job runs no more: its files are free."""
        self._turns.done(job)
        self.freed.set()
        self.freed = asyncio.Event()

    def push(self, handle: RoomHandle, book: Book, job: Job) -> None:
        """The job waits from now on; the other ones' changed places are told."""
        job.turn = self._turns.push(handle.room, entry(job, handle.document))
        self.refresh(handle, book, untold=job.id)

    def remove(self, handle: RoomHandle, book: Book, job: Job) -> None:
        """The job does not wait any more."""
        self._turns.remove(job.id)
        self.refresh(handle, book)

    def move(self, handle: RoomHandle, book: Book, job: Job, position: int) -> None:
        """Gives a waiting job another place. Raises InvalidInput."""
        for moved, priority, turn in self._turns.move(handle.room, job.id, position):
            self._stand(handle, book, moved, priority, turn)
        self.refresh(handle, book)

    def prioritise(self, handle: RoomHandle, book: Book, job: Job, priority: Priority) -> None:
        """Gives a waiting job another priority. Raises InvalidInput."""
        self._stand(handle, book, job.id, priority, self._turns.prioritise(handle.room, job.id, priority))
        self.refresh(handle, book)

    def refresh(self, handle: RoomHandle, book: Book, untold: JobId | None = None) -> None:
        """Notes the places of all jobs that wait, and tells of those that are others than before."""
        for number, waiting in enumerate(self._turns.order(handle.room), 1):
            job = book.jobs.get(waiting)
            if job is None:
                continue
            place = number, self._turns.waits_for(handle.room, waiting)
            if place != (job.position, job.waits_for):
                job.position, job.waits_for = place
                if waiting != untold:
                    self._reporting.tell(handle, job, JobProgressed(job.view(), words(book, job)))

    def _stand(self, handle: RoomHandle, book: Book, ref: JobId, priority: Priority, turn: float) -> None:
        job = book.jobs.get(ref)
        if job is not None:
            job.priority, job.turn = priority, turn
            self._reporting.save(handle, job)

    def writing(self, handle: RoomHandle, book: Book, job: Job) -> Writing:
        """The files of a job that runs."""
        return Writing(self, self._turns, handle, book, job)


class Writing:
    """Which files one job writes, of which no other one may be the writer. Implements generation.hold.Gate."""

    def __init__(self, places: Places, turns: Turns, handle: RoomHandle, book: Book, job: Job) -> None:
        self._places = places
        self._turns = turns
        self._handle = handle
        self._book = book
        self._job = job

    def aim(self, paths: Collection[str]) -> None:
        """Makes the job their writer before it begins. Raises FilesTaken if another job writes one of them."""
        other = self._claim(paths)
        if other is not None:
            raise FilesTaken(f"{named(self._book, other)} writes one of its files.", paths)

    def enter(self, path: str) -> bool:
        """See Gate.enter."""
        return self._claim([path]) is None

    def refusal(self, path: str) -> str:
        """See Gate.refusal."""
        other = self._claim([path])
        if other is None or self._turns.may_wait(self._handle.room, self._job.id, other):
            return ""
        return f"It is written by {named(self._book, other)} too, which waits for a file of this one."

    async def freed(self) -> None:
        """Returns when some job of this process runs no more."""
        await self._places.freed.wait()

    def _claim(self, paths: Collection[str]) -> JobId | None:
        other = self._turns.claim(self._handle.room, self._job.id, paths)
        if other is None:
            self._places.refresh(self._handle, self._book)
        return other


def entry(job: Job, document: Document) -> Entry:
    """A job as the line sees it."""
    listing = document.listing()
    named_files = (listing.files.get(FileId(ref)) or listing.by_path(ref) for ref in job.requested_files)
    files = {file.shown for file in named_files if file is not None}
    return Entry(job.id, job.person, job.priority, frozenset({*files, *job.aims}), job.turn)


def words(book: Book, job: Job) -> str:
    """Where a job stands in the line."""
    if job.waits_for is not None:
        return f"It waits until {named(book, job.waits_for)} is done with a file that both are about."
    return "It is next." if job.position == 1 else f"It is number {job.position} in the queue."


def named(book: Book, ref: JobId) -> str:
    """A job in words: who asked for it, and its id."""
    job = book.jobs.get(ref)
    return f"the job {ref} of {job.asked_by}" if job is not None else f"the job {ref}"
