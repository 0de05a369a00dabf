"""The engine as the server sees it. ``generation/io/service.py`` drives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from collab.ids import RoomId
from collab.ledger import Ledger
from generation.events import GenerationEvent
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

__all__ = [
    "AnsweredAll",
    "Asker",
    "Choice",
    "GenerationRequest",
    "GenerationService",
    "JobView",
    "ModelView",
    "NewChange",
    "SuggestionView",
]


class GenerationService(Protocol):
    """Jobs and suggestions of all rooms. Every method raises errors of ``collab.errors`` only."""

    @property
    def model_name(self) -> str | None:
        """The configured model; None when only the offline one is there."""
        ...

    @property
    def models(self) -> tuple[ModelView, ...]:
        """The models that may be asked for by name, in the order in which one stands in for another."""
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

    async def pause(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Has a job wait until it is resumed; what it has completed stays. Raises NotFound, Conflict."""
        ...

    async def resume(self, room: RoomId, job: str, asker: Asker) -> JobView:
        """Puts a paused job into the queue again; nothing if it is not paused. Raises NotFound, Conflict."""
        ...

    async def steer(self, room: RoomId, job: str, sentence: str, asker: Asker) -> JobView:
        """Tells a job something further. One that runs keeps what it has completed, and is asked anew.

        Raises NotFound, Conflict, InvalidInput, LimitExceeded.
        """
        ...

    async def move(self, room: RoomId, job: str, position: int, asker: Asker) -> JobView:
        """Gives a waiting job another place in the room's queue, from 1; a place among jobs of another priority
        brings that priority. Raises NotFound, InvalidInput.
        """
        ...

    async def prioritise(self, room: RoomId, job: str, priority: Priority, asker: Asker) -> JobView:
        """Gives a waiting or paused job another priority. Raises NotFound, InvalidInput."""
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

    async def suggestions(self, room: RoomId, *, all_of_them: bool = False) -> list[SuggestionView]:
        """The suggestions that wait for an answer, oldest first; or all that are remembered, as the record of what
        was decided.
        """
        ...

    async def answer(
        self, room: RoomId, suggestion: str, choice: Choice, asker: Asker, text: str = ""
    ) -> SuggestionView:
        """Answers a suggestion; the first valid answer decides. ``text`` goes with the choice ``edit``.

        Raises NotFound, InvalidInput, and Conflict with the name of who answered first or with why it cannot be
        applied.
        """
        ...

    async def answer_all(
        self, room: RoomId, job: str, path: str | None, choice: Choice, asker: Asker
    ) -> AnsweredAll:
        """Accepts or rejects all open suggestions of a job, or with ``path`` those in one file.

        Raises NotFound, InvalidInput.
        """
        ...

    async def record(self, room: RoomId, change: NewChange, asker: Asker) -> JobView:
        """Notes a change that was made at once, so that it can be reviewed and undone as a job can.

        A second time it does nothing. Raises InvalidInput.
        """
        ...

    def ledgers(self, room: RoomId) -> list[Ledger]:
        """What the room's jobs have done, for a person's own undo; empty where another node keeps them."""
        ...

    def forget(self, room: RoomId) -> None:
        """The room is deleted: its jobs end at once and are remembered no more."""
        ...

    def watch(self, job: str) -> AbstractAsyncContextManager[AsyncIterator[GenerationEvent]]:
        """The job's events from now on, ending with JobFinished. A slow reader loses token events only."""
        ...
