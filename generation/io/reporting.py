"""How the room learns of what becomes of a job, and the store."""

from __future__ import annotations

import logging
from collections.abc import Callable

from collab.ids import RoomId
from generation.book import JOB, Change
from generation.events import GenerationEvent, JobFinished
from generation.io.watching import Watchers
from generation.jobs import Job
from generation.ports import RoomHandle

logger = logging.getLogger(__name__)


class Reporting:
    """Hands events to the room and to the job's watchers, and records to the store."""

    def __init__(self, watchers: Watchers, ended: Callable[[RoomId, Job], None] = lambda _, __: None) -> None:
        """``ended`` is told of each job that has ended."""
        self._watchers = watchers
        self._ended = ended
        self.puts = 0
        """How many records were put so far."""

    def tell(self, handle: RoomHandle, job: Job, event: GenerationEvent) -> None:
        """Tells the room and whoever watches the job."""
        handle.announce(event)
        self._watchers.publish(job.id, event)

    def finished(self, handle: RoomHandle, job: Job) -> None:
        """The job has ended."""
        self._ended(handle.room, job)
        if job.severity in {"warning", "error"}:
            logger.warning(
                "job %s failed: %s",
                job.id,
                job.error,
                extra={
                    "room": handle.room,
                    "request": job.request_id,
                    "code": job.error_code,
                    "model": job.model,
                    "attempts": len(job.attempts),
                    "context_tokens": job.context_tokens,
                },
            )
        self.save(handle, job)
        self.tell(handle, job, JobFinished(job.view()))

    def save(self, handle: RoomHandle, job: Job) -> None:
        """Stores the job as it is now."""
        self.put(handle, Change(JOB, job.id, job.to_bytes()))

    def put(self, handle: RoomHandle, change: Change) -> None:
        """Stores a record."""
        self.puts += 1
        handle.put_record(change.kind, change.key, change.value)
