"""What people do with jobs that wait or run: pause, resume, steer, move."""

from __future__ import annotations

from collab.errors import LimitExceeded
from collab.ids import client_id
from generation.book import Book
from generation.events import JobProgressed
from generation.io.places import Places
from generation.io.reporting import Reporting
from generation.io.workers import Workers
from generation.jobs import Job
from generation.ports import Random, RoomHandle
from generation.settings import GenerationSettings
from generation.states import JobState
from generation.views import Asker, Priority


class Steering:
    """Nothing here waits: each change is done as a whole, and told."""

    def __init__(
        self,
        places: Places,
        workers: Workers,
        reporting: Reporting,
        settings: GenerationSettings,
        random: Random,
    ) -> None:
        self._places = places
        self._workers = workers
        self._reporting = reporting
        self._settings = settings
        self._random = random

    def pause(self, handle: RoomHandle, book: Book, job: Job, asker: Asker) -> None:
        """The job waits until it is resumed; what it has completed stays. Raises Conflict."""
        before = job.state
        if not job.ended and before is not JobState.PAUSED:
            self._places.remove(handle, book, job)
            self._workers.halt(job)
        job.pause()
        if before is not JobState.PAUSED:
            self._told(handle, job, f"Paused by {asker.name}.")
            self._places.refresh(handle, book)

    def resume(self, handle: RoomHandle, book: Book, job: Job, asker: Asker) -> None:
        """A paused job waits for its turn again. Raises Conflict."""
        if job.resume(client_id(self._random)):
            self._places.push(handle, book, job)
            self._told(handle, job, f"Resumed by {asker.name}.")

    def steer(self, handle: RoomHandle, job: Job, sentence: str, asker: Asker, key: str) -> None:
        """Tells the job something further; one that runs is asked anew. Raises Conflict, LimitExceeded."""
        if job.was_steered(key):
            return  # It was told so, and may have ended since.
        job.may_be_steered()
        most = self._settings.prompt_chars
        if sum(map(len, (*job.steers, sentence))) > most:
            raise LimitExceeded(
                f"All that was said to the job {job.id} would have more than {most} characters; cancel it, and "
                "ask for what you want in one piece.",
                field="prompt",
            )
        if job.running:
            self._workers.stop(job)
        anew = job.steer(sentence, client_id(self._random), key)
        self._told(handle, job, f"{asker.name} says: {sentence}"[:1000])
        if anew:
            self._workers.begin_again(job)

    def move(self, handle: RoomHandle, book: Book, job: Job, position: int) -> None:
        """Gives a waiting job another place in the line, from 1. Raises InvalidInput."""
        self._places.move(handle, book, job, position)

    def prioritise(self, handle: RoomHandle, book: Book, job: Job, priority: Priority) -> None:
        """Gives a job that has not begun another priority. Raises InvalidInput."""
        if job.state is JobState.PAUSED:
            job.priority, job.turn = priority, None
            self._told(handle, job, "")
        else:
            self._places.prioritise(handle, book, job, priority)

    def _told(self, handle: RoomHandle, job: Job, detail: str) -> None:
        self._reporting.save(handle, job)
        self._reporting.tell(handle, job, JobProgressed(job.view(), detail))
