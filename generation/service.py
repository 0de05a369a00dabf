"""The engine as the server sees it. ``generation/io/service.py`` drives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from collab.ids import RoomId
from generation.events import GenerationEvent
from generation.views import (
    Asker,
    Choice,
    GenerationRequest,
    JobView,
    SuggestionView,
)

__all__ = ["Asker", "Choice", "GenerationRequest", "GenerationService", "JobView", "SuggestionView"]


class GenerationService(Protocol):
    """Jobs and suggestions of all rooms. Every method raises errors of ``collab.errors`` only."""

    @property
    def model_name(self) -> str | None:
        """The configured model; None when only the offline one is there."""
        ...

    async def run(self) -> None:
        """Works until cancelled; jobs that run then end as ``interrupted``."""
        ...

    async def drain(self) -> None:
        """Begins no more jobs and stops those that run: they end as ``interrupted``, or go on at another node."""
        ...

    async def submit(self, room: RoomId, request: GenerationRequest, asker: Asker) -> JobView:
        """Queues a job. Raises InvalidInput, LimitExceeded, NotFound (a file that is not there)."""
        ...

    async def cancel(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Stops a queued or running job; what has landed stays. Raises NotFound, Conflict."""
        ...

    async def retry(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Asks again what an ended job was asked, and tells the model what is applied already.

        Raises NotFound, Conflict, LimitExceeded.
        """
        ...

    async def undo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Takes back what a job wrote, and nothing else. Raises NotFound, Conflict."""
        ...

    async def redo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Puts back what the last undo took. Raises NotFound, Conflict."""
        ...

    async def jobs(self, room: RoomId) -> list[JobView]:
        """The room's jobs, newest first; after a restart those that ran are ``interrupted``."""
        ...

    async def suggestions(self, room: RoomId) -> list[SuggestionView]:
        """The suggestions that wait for an answer, oldest first."""
        ...

    async def answer(self, room: RoomId, suggestion: str, choice: Choice, asker: Asker) -> SuggestionView:
        """Accepts or rejects a suggestion; the first valid answer decides.

        Raises NotFound, and Conflict with the name of who answered first or with why it cannot be applied.
        """
        ...

    def forget(self, room: RoomId) -> None:
        """The room is deleted: its jobs end at once and are remembered no more."""
        ...

    def watch(self, job: str) -> AbstractAsyncContextManager[AsyncIterator[GenerationEvent]]:
        """The job's events from now on, ending with JobFinished. A slow reader loses token events only."""
        ...
