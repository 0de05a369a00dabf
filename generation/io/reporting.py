"""How the room learns of what becomes of a job, and the store."""

from __future__ import annotations

from generation.book import JOB, Change
from generation.events import GenerationEvent, JobFinished
from generation.io.watching import Watchers
from generation.jobs import Job
from generation.ports import RoomHandle


class Reporting:
    """Hands events to the room and to the job's watchers, and records to the store."""

    def __init__(self, watchers: Watchers) -> None:
        self._watchers = watchers
        self.puts = 0
        """How many records were put so far."""

    def tell(self, handle: RoomHandle, job: Job, event: GenerationEvent) -> None:
        """Tells the room and whoever watches the job."""
        handle.announce(event)
        self._watchers.publish(job.id, event)

    def finished(self, handle: RoomHandle, job: Job) -> None:
        """The job has ended."""
        self.save(handle, job)
        self.tell(handle, job, JobFinished(job.view()))

    def save(self, handle: RoomHandle, job: Job) -> None:
        """Stores the job as it is now."""
        self.put(handle, Change(JOB, job.id, job.to_bytes()))

    def put(self, handle: RoomHandle, change: Change) -> None:
        """Stores a record."""
        self.puts += 1
        handle.put_record(change.kind, change.key, change.value)
