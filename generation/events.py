"""What happens during a generation. The server maps these to messages and to Server-Sent Events."""

from __future__ import annotations

from dataclasses import dataclass

from generation.views import JobView, StrategyName, SuggestionView


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A job was queued."""

    job: JobView


@dataclass(frozen=True, slots=True)
class JobProgressed:
    """A job has moved on; ``detail`` says in words what it is doing."""

    job: JobView
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ContextReady:
    """What the model will see has been put together. ``tokens`` is an estimate of the whole prompt."""

    job: str
    files: tuple[str, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class StrategyDetermined:
    """How the job will go about it, and why."""

    job: str
    strategy: StrategyName
    why: str


@dataclass(frozen=True, slots=True)
class FileStarted:
    """The model begins to write to a file."""

    job: str
    path: str


@dataclass(frozen=True, slots=True)
class FileEnded:
    """The model is done with a file, for now: hunks that landed in it, and that wait for a person."""

    job: str
    path: str
    applied: int
    pending: int


@dataclass(frozen=True, slots=True)
class JobTokens:
    """A piece of what the model writes into a file."""

    job: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class SuggestionAdded:
    """A hunk did not land by itself; the room is asked."""

    suggestion: SuggestionView


@dataclass(frozen=True, slots=True)
class SuggestionAnswered:
    """A suggestion was decided on, or its place is gone."""

    suggestion: SuggestionView


@dataclass(frozen=True, slots=True)
class JobFinished:
    """A job has ended, one way or another: see its ``state`` and ``error``."""

    job: JobView


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job that had ended has changed: undone, redone, a suggestion answered."""

    job: JobView


GenerationEvent = (
    JobStarted
    | JobProgressed
    | ContextReady
    | StrategyDetermined
    | FileStarted
    | FileEnded
    | JobTokens
    | SuggestionAdded
    | SuggestionAnswered
    | JobFinished
    | JobChanged
)
