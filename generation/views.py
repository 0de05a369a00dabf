"""What the room sees of jobs and suggestions, and what may be asked for.

The field names of JobView and SuggestionView are those of the messages, so that the server maps one to
the other by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from collab.ids import PersonId
from collab.rights import Role

StrategyName = Literal["targeted", "selective", "full"]
Mode = Literal["auto", "review", "ask"]
MODES: Final[tuple[Mode, ...]] = "auto", "review", "ask"
ChangeKind = Literal["put", "import", "restore"]
JobKind = Literal["job", "put", "import", "restore"]
Priority = Literal["high", "normal", "low"]
SuggestionKind = Literal["hunk", "new_file", "whole_file", "delete_file", "rename_file"]
SuggestionState = Literal["open", "accepted", "rejected", "both", "edited", "merged", "gone", "replaced"]
Outcome = Literal["answered", "failed", "broken", "refused"]
"""``failed``: no answer began; ``broken``: it broke off in its middle; ``refused``: it will not be given."""
Severity = Literal["", "notice", "warning", "error"]
Choice = Literal["accept", "reject", "both", "edit"]
Conflict = Literal["none", "overlapping_edits", "same_file_different_content", "structural_conflict"]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: for the audit, and by name for the room."""

    person: PersonId
    name: str
    role: Role = Role.OWNER
    """What they are in the room; an owner where nobody signs in."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a person asks of the AI. ``files`` holds ids or shown paths to look at first."""

    prompt: str
    files: tuple[str, ...] = ()
    strategy: StrategyName | None = None
    model: str | None = None
    mode: Mode | None = None
    """None: what the room's settings say."""
    priority: Priority = "normal"
    fresh: bool = False
    """Asks a model although the same may have been asked before."""


def room_mode(settings: Mapping[str, object]) -> Mode:
    """How jobs of a room merge if they do not say so themselves: the room's setting ``mode``."""
    mode = settings.get("mode")
    for known in MODES:
        if mode == known:
            return known
    return "auto"


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model that may be asked for by its name. ``context_tokens`` is what it takes in, prompt and answer."""

    name: str
    context_tokens: int
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnsweredAll:
    """Several suggestions were answered: how many, of the others why not, and the job as it is now."""

    answered: int
    failed: tuple[str, ...]
    job: JobView


@dataclass(frozen=True, slots=True)
class NewChange:
    """A change that was made at once by a writer that worked from an older copy, or by a restore.

    ``ledger`` and ``suggestions`` are as they are stored, packed and in base64: what an undo takes back, and what
    is to be asked.
    """

    change: str
    kind: ChangeKind
    title: str
    client: int
    files: tuple[str, ...]
    ledger: str
    suggestions: tuple[str, ...] = ()
    applied: int = 0
    more: bool = False
    """It is a further part of a change that was told before."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to a model and what came of it. ``cost`` is in US dollars, None where no price is known."""

    model: str
    outcome: Outcome
    error: str = ""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which a job ended before its work was done, as it is kept.

    ``request`` names the asking that failed, in the log too; ``attempts`` are the requests to models until then,
    ``context_tokens`` an estimate of what the last one was sent.
    """

    at_ms: int
    code: str
    severity: Severity
    message: str
    request: str = ""
    person: str = ""
    model: str = ""
    attempts: int = 0
    context_tokens: int = 0


@dataclass(frozen=True, slots=True)
class JobView:
    """A job, or a change of another ``kind``, at one moment.

    ``progress`` goes from 0 to 1; ``created_ms`` counts from 1970 (UTC). ``cost`` is in US dollars, None where no
    price is known. ``position`` is its place among those that wait, from 1.
    """

    job: str
    kind: JobKind
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
    priority: Priority = "normal"
    position: int | None = None
    model_why: str = ""
    strategy_why: str = ""
    prompt_tokens: int = 0
    cost: float | None = None
    attempts: tuple[Attempt, ...] = ()
    current_file: str | None = None
    expected_tokens: int | None = None
    eta_confidence: float | None = None
    steers: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    request_id: str = ""
    error_code: str = ""
    severity: Severity = ""
    cached: bool = False
    waits_for: str | None = None
    """The job that must end before this one may run, because it writes one of its files."""
    failures: tuple[Failure, ...] = ()
    """How it failed, oldest first."""


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A suggestion at one moment, or a collision that was merged by itself.

    ``anchor`` and ``end`` are base64 of Yjs' binary relative positions. ``current`` is what stands in the place
    now, or of one that is answered, what stood there then. Times are milliseconds since 1970 (UTC).
    """

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
    end: str | None
    state: SuggestionState
    answered_by: str | None
    conflict: Conflict
    layer: str
    choices: tuple[Choice, ...]
    at_ms: int
    answered_ms: int
    gone: str = ""
    """Why there is no place for it any more, in words; empty while there is."""
    findings: tuple[str, ...] = ()
