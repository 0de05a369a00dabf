"""Prompts that are asked ahead, so that their answers are there when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass

from collab.ids import ClientId, JobId, PersonId, RoomId
from generation.jobs import Job
from generation.views import StrategyName

REHEARSAL = JobId("prewarm")
"""The id of every rehearsal; no room ever sees it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One prompt of one room; what is None is chosen by the engine. ``files`` holds ids or shown paths."""

    room: RoomId
    prompt: str
    files: tuple[str, ...] = ()
    strategy: StrategyName | None = None
    model: str | None = None

    def rehearsal(self, client: ClientId, now_ms: int) -> Job:
        """A job that goes as one of a person would, and only suggests, so that it changes nothing."""
        return Job(
            id=REHEARSAL,
            prompt=self.prompt,
            asked_by="",
            person=PersonId(""),
            model="",
            offline=False,
            clients=[client],
            color="#000000",
            created_ms=now_ms,
            requested_files=self.files,
            requested_strategy=self.strategy,
            requested_model=self.model,
            mode="review",
        )
