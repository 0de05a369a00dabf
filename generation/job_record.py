"""What is known of a job: stored as a record, and shown to the room."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Self

from collab.errors import StoreCorrupt
from collab.ids import ClientId, JobId, PersonId
from generation.states import ACTIVE, STAGES, JobState
from generation.views import (
    Attempt,
    Failure,
    GenerationRequest,
    JobKind,
    JobView,
    Mode,
    Priority,
    Severity,
    StrategyName,
)


@dataclass(slots=True)
class JobRecord:
    """The values of one job; ``generation.jobs.Job`` holds the rules by which they change.

    ``clients`` are the Yjs client ids under which its tries wrote, the present one last: each try has its
    own, because the server may have lost edits of the last one that clients still have.
    """

    id: JobId
    prompt: str
    asked_by: str
    person: PersonId
    model: str
    offline: bool
    clients: list[ClientId]
    color: str
    created_ms: int
    kind: JobKind = "job"
    """What it is, if it is no job but a change made at once by somebody's writer; such a one cannot be retried."""
    requested_files: tuple[str, ...] = ()
    requested_strategy: StrategyName | None = None
    requested_model: str | None = None
    """The model that somebody chose for it; None leaves the choice to the engine."""
    mode: Mode = "auto"
    priority: Priority = "normal"
    state: JobState = JobState.QUEUED
    epoch: int = 0
    strategy: StrategyName | None = None
    files: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    """Those of ``files`` in which something has landed."""
    progress: float = 0.0
    eta_seconds: float | None = None
    tokens: int = 0
    hunks_applied: int = 0
    hunks_pending: int = 0
    undone: bool = False
    wrote: bool = False
    """Whether it changed the document, so that there is something to undo."""
    error: str | None = None
    takeovers: int = 0
    """How often another node went on with it because the one that ran it was gone, since it was last asked."""
    position: int | None = None
    """Its place among those that wait; 1 is next."""
    model_why: str = ""
    strategy_why: str = ""
    prompt_tokens: int = 0
    cost: float | None = None
    """US dollars; None where no price is known."""
    attempts: list[Attempt] = field(default_factory=list)
    current_file: str | None = None
    expected_tokens: int | None = None
    eta_confidence: float | None = None
    steers: list[str] = field(default_factory=list)
    """What was said to it while it ran."""
    findings: list[str] = field(default_factory=list)
    """What checks found in what it wrote, in words."""
    request_id: str = ""
    error_code: str = ""
    severity: Severity = ""
    fresh: bool = False
    """Whether models are to be asked although the same may have been asked before."""
    cached: bool = False
    """Whether its answer is one that was given before."""
    timings: dict[str, float] = field(default_factory=dict)
    """What the try that came to its end took; see generation.experience. Empty for all others."""
    failures: list[Failure] = field(default_factory=list)
    turn: float | None = None
    """Its turn in the room's line, which it keeps until it is asked anew."""
    waits_for: JobId | None = None
    """The job that must end before this one may run, because it writes one of its files."""
    aims: list[str] = field(default_factory=list)
    """The paths that it was found to be about, beside those that the request names."""
    context_tokens: int = 0
    """An estimate of what the last request to a model held."""
    used_tokens: int = 0
    """All tokens that it took of models, of requests and answers."""
    used_cost: float = 0.0
    charged_tokens: int = 0
    """Of the tokens and the money that it took, what this process has counted already."""
    charged_cost: float = 0.0
    steered_by: list[str] = field(default_factory=list)
    """What names each steering, so that one that is asked for twice is done once, whatever came in between."""

    @property
    def client(self) -> ClientId:
        """The client id under which the present try writes."""
        return self.clients[-1]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state not in ACTIVE

    @property
    def running(self) -> bool:
        """Whether somebody has begun to work on it and it has not ended."""
        return self.state in STAGES and self.state is not JobState.QUEUED

    @property
    def can_undo(self) -> bool:
        """Whether an undo would take something back now."""
        return self.ended and self.wrote and not self.undone

    def request(self) -> GenerationRequest:
        """What was asked."""
        return GenerationRequest(
            self.prompt,
            self.requested_files,
            self.requested_strategy,
            self.requested_model,
            self.mode,
            self.priority,
            self.fresh,
        )

    def charge(self) -> tuple[int, float]:
        """The tokens and the money that it took since this was asked last."""
        due = self.used_tokens - self.charged_tokens, self.used_cost - self.charged_cost
        self.charged_tokens, self.charged_cost = self.used_tokens, self.used_cost
        return due

    def view(self) -> JobView:
        """What the room sees of it now."""
        return JobView(
            job=self.id,
            kind=self.kind,
            prompt=self.prompt,
            asked_by=self.asked_by,
            state=self.state.value,
            model=self.model,
            offline=self.offline,
            mode=self.mode,
            strategy=self.strategy,
            client=self.client,
            color=self.color,
            created_ms=self.created_ms,
            files=tuple(self.files),
            progress=round(self.progress, 4),
            eta_seconds=None if self.eta_seconds is None else round(self.eta_seconds, 1),
            tokens=self.tokens,
            hunks_applied=self.hunks_applied,
            hunks_pending=self.hunks_pending,
            undone=self.undone,
            can_undo=self.can_undo,
            error=self.error,
            priority=self.priority,
            position=self.position,
            model_why=self.model_why,
            strategy_why=self.strategy_why,
            prompt_tokens=self.prompt_tokens,
            cost=self.cost,
            attempts=tuple(self.attempts),
            current_file=self.current_file,
            expected_tokens=self.expected_tokens,
            eta_confidence=self.eta_confidence,
            steers=tuple(self.steers),
            findings=tuple(self.findings),
            request_id=self.request_id,
            error_code=self.error_code,
            severity=self.severity,
            cached=self.cached,
            waits_for=self.waits_for,
            failures=tuple(self.failures),
        )

    def to_bytes(self) -> bytes:
        """The job as a record."""
        # Not by asdict, which copies every value in it: jobs that write are stored again and again.
        values = {name: getattr(self, name) for name in _STORED}
        for name in ("attempts", "failures"):
            values[name] = [asdict(one) for one in values[name]]
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The reverse of to_bytes. Raises StoreCorrupt. Fields of a later version are left out."""
        try:
            values: dict[str, Any] = json.loads(data)
            known = {name.name for name in fields(cls)}
            values = {key: value for key, value in values.items() if key in known}
            values["state"] = JobState(values["state"])
            values["requested_files"] = tuple(values["requested_files"])
            if not isinstance(values.get("timings", {}), dict):
                raise ValueError("its timings are no mapping")
            values["attempts"] = [Attempt(**attempt) for attempt in values.get("attempts", ())]
            values["failures"] = [Failure(**failure) for failure in values.get("failures", ())]
            if not values["clients"]:
                raise ValueError("it has no client id")
            job = cls(**values)
            # Whoever ran it has counted what it took, or could not.
            job.charge()
            return job
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreCorrupt(f"A stored job cannot be read: {error!r}.") from error


_STORED: Final = tuple(one.name for one in fields(JobRecord) if not one.name.startswith("charged_"))
"""What is counted already is so in this process only."""
