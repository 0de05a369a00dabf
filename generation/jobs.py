"""A job as a state machine, with an epoch that fences off late work.

Whoever works on a job holds the epoch that ``begin`` gave. Cancelling, retrying and ending a job make that
epoch void, and every step of the work names its epoch, so a late token can never land.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from collab.errors import Conflict, LimitExceeded, StoreCorrupt
from collab.ids import ClientId, JobId, PersonId
from collab.redaction import redacted
from generation.accounting import total
from generation.errors import StaleEpoch
from generation.states import (
    ACTIVE,
    INTERRUPTED,
    MOST_ATTEMPTS,
    MOST_FAILURES,
    MOST_STEERS,
    MOST_TAKEOVERS,
    RETRYABLE,
    STAGES,
    WORN_OUT,
    JobState,
)
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
class Job:
    """One job. Change it by its methods, which hold its rules.

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
    findings: list[str] = field(default_factory=list)
    """What checks found in what it wrote, in words."""
    """What was said to it while it ran."""
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

    def begin(self) -> int:
        """A worker takes the queued job; the epoch that it works under."""
        if self.state is not JobState.QUEUED:
            raise StaleEpoch(f"The job {self.id} is {self.state} and cannot begin.")
        self.state = JobState.PREPARING
        self.position = self.waits_for = None
        return self.epoch

    def check(self, epoch: int) -> None:
        """Raises StaleEpoch unless the work of this epoch may still land."""
        if epoch != self.epoch or not self.running:
            raise StaleEpoch(f"The job {self.id} was ended, paused or begun anew meanwhile.")

    def advance(self, epoch: int, state: JobState) -> None:
        """Goes on to a later stage. Raises StaleEpoch."""
        self.check(epoch)
        if STAGES.index(state) < STAGES.index(self.state):
            raise ValueError(f"A job does not go back from {self.state} to {state}.")
        self.state = state

    def move(
        self,
        epoch: int,
        *,
        progress: float,
        eta_seconds: float | None,
        tokens: int,
        eta_confidence: float | None = None,
        expected_tokens: int | None = None,
    ) -> None:
        """Notes how far it is. Progress never goes back. Raises StaleEpoch."""
        self.check(epoch)
        self.progress = max(self.progress, min(progress, 1.0))
        self.eta_seconds = eta_seconds
        self.tokens = tokens
        self.eta_confidence = eta_confidence
        self.expected_tokens = expected_tokens

    def tried(self, attempt: Attempt) -> None:
        """A request to a model has ended; what it took is counted, that of earlier tries of the job included."""
        self.attempts = [*self.attempts, attempt][-MOST_ATTEMPTS:]
        self.prompt_tokens += attempt.prompt_tokens
        self.cost = total((self.cost, attempt.cost))
        if not self.offline:  # A template takes nothing of anybody's.
            self.used_tokens += attempt.prompt_tokens + attempt.answer_tokens
            self.used_cost += attempt.cost or 0.0

    def charge(self) -> tuple[int, float]:
        """The tokens and the money that it took since this was asked last."""
        due = self.used_tokens - self.charged_tokens, self.used_cost - self.charged_cost
        self.charged_tokens, self.charged_cost = self.used_tokens, self.used_cost
        return due

    def touch(self, paths: Iterable[str], landed: Iterable[str] = ()) -> None:
        """Notes the paths that it writes to or proposes something for, and where something has landed."""
        self.files += [path for path in paths if path not in self.files]
        self.written += [path for path in landed if path not in self.written]

    def complete(self, epoch: int, left_out: str = "") -> None:
        """The work is done; ``left_out`` tells of parts that could not be. Raises StaleEpoch."""
        self.check(epoch)
        self.error = left_out or None
        self._end(JobState.NEEDS_REVIEW if self.hunks_pending else JobState.COMPLETE)
        self.progress = 1.0

    def fail(
        self,
        epoch: int,
        error: str,
        *,
        code: str = "generation_failed",
        severity: Severity = "error",
        at_ms: int = 0,
    ) -> None:
        """The work cannot be done. Raises StaleEpoch."""
        self.check(epoch)
        self._fail(JobState.FAILED, error, code, severity, at_ms)

    def cancel(self, by: str) -> None:
        """Somebody stops it. Raises Conflict if it has ended."""
        if self.ended:
            raise Conflict(f"The job {self.id} has ended already ({self.state}).", field="job")
        self._end(JobState.CANCELLED)
        self.error = f"Cancelled by {by}."

    def interrupt(self, at_ms: int = 0, *, paused: bool = False) -> None:
        """The process ends, or ended, while it was queued or running; nothing happens if it had ended.

        A paused one stays paused, unless ``paused`` says that its room is gone too.
        """
        if self.state in STAGES or (paused and self.state is JobState.PAUSED):
            self._fail(JobState.INTERRUPTED, INTERRUPTED, "interrupted", "warning", at_ms)

    def pause(self) -> None:
        """Somebody has it wait until ``resume``; what it had written stays. Raises Conflict if it has ended."""
        self._must_go_on("paused")
        if self.state is not JobState.PAUSED:
            self.state = JobState.PAUSED
            self._stand()

    def resume(self, client: ClientId) -> bool:
        """Queues a paused job again; False if it is not paused. Raises Conflict if it has ended."""
        self._must_go_on("resumed")
        if self.state is not JobState.PAUSED:
            return False
        self._queue(client)
        return True

    def steer(self, sentence: str, client: ClientId, key: str = "") -> bool:
        """Tells it something further; whether it must be asked anew for that, being queued again.

        A second time with the same ``key`` nothing happens. Raises Conflict if it has ended, LimitExceeded.
        """
        if self.was_steered(key):
            return False
        self.may_be_steered()
        self.steers.append(sentence)
        if key:
            self.steered_by.append(key)
        if not self.running:
            return False
        self._queue(client)
        return True

    def was_steered(self, key: str) -> bool:
        """Whether it was told what ``key`` names."""
        return bool(key) and key in self.steered_by

    def may_be_steered(self) -> None:
        """Raises Conflict if it has ended, LimitExceeded if it was steered as often as it may be."""
        self._must_go_on("steered")
        if len(self.steers) >= MOST_STEERS:
            raise LimitExceeded(
                f"The job {self.id} was steered {MOST_STEERS} times; cancel it, and ask for what you want in one "
                "piece.",
                field="prompt",
            )

    def defer(self, epoch: int, paths: Iterable[str], client: ClientId) -> None:
        """Queues it again, as others write the files that it was found to be about. Raises StaleEpoch."""
        self.check(epoch)
        self.aims = [*paths]
        self._queue(client)

    def _must_go_on(self, what: str) -> None:
        if self.ended or self.kind != "job":
            more = "; retry it first" if self.state in RETRYABLE and self.kind == "job" else ""
            raise Conflict(
                f"The job {self.id} has ended ({self.state}), so it cannot be {what}{more}.", field="job"
            )

    def may_be_retried(self) -> None:
        """Raises Conflict if it may not be asked again as it is."""
        if self.state not in RETRYABLE or self.kind != "job":
            more = "; resume it" if self.state is JobState.PAUSED else ""
            raise Conflict(
                f"The job {self.id} is {self.state}; only a failed, cancelled or interrupted one can be retried"
                f"{more}.",
                field="job",
            )

    def retry(self, client: ClientId) -> None:
        """Queues it again under a new epoch and client id. Raises Conflict."""
        self.may_be_retried()
        self.takeovers = 0
        self.turn = None
        self.aims = []
        self._queue(client)

    def adopt(self, client: ClientId) -> None:
        """Another node keeps the queued job: it writes under an id that no keeper before it can have used."""
        if self.state is JobState.QUEUED and client not in self.clients:
            self.clients.append(client)

    def hand_over(self, client: ClientId) -> None:
        """Queues it again for another node, as this one stops. Nothing happens if it is not running."""
        if self.running:
            self._queue(client)

    def take_over(self, client: ClientId, at_ms: int = 0) -> bool:
        """Queues it again after the node that ran it is gone; False if it fails, because that was too often."""
        if self.takeovers >= MOST_TAKEOVERS:
            self._fail(JobState.FAILED, WORN_OUT, "worn_out", "error", at_ms)
            return False
        self.takeovers += 1
        self._queue(client)
        return True

    def _queue(self, client: ClientId) -> None:
        self.epoch += 1
        self.state = JobState.QUEUED
        self.progress = 0.0
        self._unsay()
        self.expected_tokens = None
        self.tokens = 0
        self.timings = {}
        self.cached = False
        self.error = None
        self.findings = []
        self.error_code = self.severity = ""
        # What an earlier try wrote and somebody undid must stay undone, so a new try has its own client id.
        if client not in self.clients:
            self.clients.append(client)

    def forget_written(self) -> None:
        """All that it had written is undone for good, as a new try begins."""
        self.written = []
        self.hunks_applied = 0
        self.wrote = self.undone = False

    def settle(self, pending: int) -> None:
        """Notes how many suggestions are still open; with the last one a reviewed job is complete."""
        self.hunks_pending = pending
        if self.state is JobState.NEEDS_REVIEW and pending == 0:
            self.state = JobState.COMPLETE

    def _fail(self, state: JobState, error: str, code: str, severity: Severity, at_ms: int) -> None:
        self._end(state)
        self.error = redacted(error)
        self.error_code, self.severity = code, severity
        self.attempts = [replace(attempt, error=redacted(attempt.error)) for attempt in self.attempts]
        failure = Failure(
            at_ms=at_ms,
            code=code,
            severity=severity,
            message=self.error,
            request=self.request_id,
            person=self.asked_by,
            model=self.model,
            attempts=len(self.attempts),
            context_tokens=self.context_tokens,
        )
        self.failures = [*self.failures, failure][-MOST_FAILURES:]

    def _end(self, state: JobState) -> None:
        self.state = state
        self._stand()

    def _stand(self) -> None:
        """It does not go on by itself; whoever worked on it does so no more."""
        self.epoch += 1
        self._unsay()

    def _unsay(self) -> None:
        """What was said of its place, its file and the time remaining counts no more."""
        self.eta_seconds = None
        self.eta_confidence = None
        self.current_file = None
        self.position = self.waits_for = None

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
        values = asdict(self)
        del values["charged_tokens"], values["charged_cost"]
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    @staticmethod
    def from_bytes(data: bytes) -> Job:
        """The reverse of to_bytes. Raises StoreCorrupt. Fields of a later version are left out."""
        try:
            values: dict[str, Any] = json.loads(data)
            known = {name.name for name in fields(Job)}
            values = {key: value for key, value in values.items() if key in known}
            values["state"] = JobState(values["state"])
            values["requested_files"] = tuple(values["requested_files"])
            if not isinstance(values.get("timings", {}), dict):
                raise ValueError("its timings are no mapping")
            values["attempts"] = [Attempt(**attempt) for attempt in values.get("attempts", ())]
            values["failures"] = [Failure(**failure) for failure in values.get("failures", ())]
            if not values["clients"]:
                raise ValueError("it has no client id")
            job = Job(**values)
            # Whoever ran it has counted what it took, or could not.
            job.charge()
            return job
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreCorrupt(f"A stored job cannot be read: {error!r}.") from error
