"""The events of ``POST /api/generate``, each the JSON of one ``data:`` line."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from server.messages.parts import Job, Mode, Part, Strategy, Suggestion


class GenerateRequest(Part):
    """The body of ``POST /api/generate``."""

    room: str
    prompt: str = Field(min_length=1)
    files: list[str] = Field(default_factory=list, max_length=200)
    strategy: Strategy | None = None
    model: str | None = None
    mode: Mode | None = Field(default=None, description="Left out: the room's setting, or auto.")
    priority: Literal["high", "normal", "low"] = "normal"
    fresh: bool = Field(default=False, description="True: a model is asked even if the same was asked before.")
    name: str = Field(default="api", min_length=1, max_length=80, description="Who asks.")
    detach: bool = Field(default=False, description="True: the job goes on when this client goes away.")


class ContextReady(Part):
    """What the model will see has been put together."""

    type: Literal["context_ready"] = "context_ready"
    job: str
    files: list[str]
    tokens: int = Field(description="Estimated tokens of the prompt.")


class StrategyDetermined(Part):
    """How the job will go about it, and why."""

    type: Literal["strategy_determined"] = "strategy_determined"
    job: str
    strategy: Strategy
    why: str


class Progress(Part):
    """The job has moved on."""

    type: Literal["progress"] = "progress"
    job: Job
    detail: str = ""


class FileStart(Part):
    """The model begins to write to a file."""

    type: Literal["file_start"] = "file_start"
    job: str
    path: str


class Token(Part):
    """A piece of what the model writes."""

    type: Literal["token"] = "token"
    job: str
    path: str
    text: str


class FileEnd(Part):
    """The model is done with a file, for now."""

    type: Literal["file_end"] = "file_end"
    job: str
    path: str
    applied: int = Field(description="Hunks that have landed in it.")
    pending: int = Field(description="Hunks that wait for a person.")


class StreamConflict(Part):
    """A hunk did not land by itself; the room is asked."""

    type: Literal["conflict"] = "conflict"
    job: str
    suggestion: Suggestion


class StreamError(Part):
    """The job failed, or the request was refused; the stream ends."""

    type: Literal["error"] = "error"
    job: str | None = None
    code: str
    message: str
    field: str | None = None


class StreamComplete(Part):
    """The job has ended; the stream ends."""

    type: Literal["complete"] = "complete"
    job: Job


AnyStreamEvent = Annotated[
    ContextReady
    | StrategyDetermined
    | Progress
    | FileStart
    | Token
    | FileEnd
    | StreamConflict
    | StreamError
    | StreamComplete,
    Field(discriminator="type"),
]

STREAM_EVENTS: TypeAdapter[AnyStreamEvent] = TypeAdapter(AnyStreamEvent)
