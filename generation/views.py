"""What the room sees of jobs and suggestions, and what may be asked for.

The field names of JobView and SuggestionView are those of the messages, so that the server maps one to
the other by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from collab.ids import PersonId

StrategyName = Literal["targeted", "selective", "full"]
Mode = Literal["auto", "review"]
Priority = Literal["high", "normal", "low"]
SuggestionKind = Literal["hunk", "new_file", "whole_file", "delete_file", "rename_file"]
SuggestionState = Literal["open", "accepted", "rejected", "gone"]
Choice = Literal["accept", "reject"]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: for the audit, and by name for the room."""

    person: PersonId
    name: str


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a person asks of the AI. ``files`` holds ids or shown paths to look at first."""

    prompt: str
    files: tuple[str, ...] = ()
    strategy: StrategyName | None = None
    model: str | None = None
    mode: Mode = "auto"
    priority: Priority = "normal"


@dataclass(frozen=True, slots=True)
class JobView:
    """A job at one moment. ``progress`` goes from 0 to 1; ``created_ms`` counts from 1970 (UTC)."""

    job: str
    prompt: str
    asked_by: str
    state: str
    model: str
    offline: bool
    mode: Mode
    strategy: StrategyName | None
    client: int
    color: str
    created_ms: int
    files: tuple[str, ...]
    progress: float
    eta_seconds: float | None
    tokens: int
    hunks_applied: int
    hunks_pending: int
    undone: bool
    can_undo: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A suggestion at one moment. ``anchor`` is base64 of Yjs' binary relative position."""

    suggestion: str
    job: str
    file: str | None
    path: str
    reason: str
    kind: SuggestionKind
    before: str
    current: str
    after: str
    anchor: str | None
    state: SuggestionState
    answered_by: str | None
