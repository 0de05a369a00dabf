"""A job as a state machine, with an epoch that fences off late work.

Whoever works on a job holds the epoch that ``begin`` gave. Cancelling, retrying and ending a job make that
epoch void, and every step of the work names its epoch, so a late token can never land.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from collab.errors import Conflict, LimitExceeded
from collab.ids import ClientId
from collab.redaction import redacted
from generation.accounting import total
from generation.errors import StaleEpoch
from generation.job_record import JobRecord
from generation.states import (
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
    Severity,
)


@dataclass(slots=True)
class Job(JobRecord):
    """One job. Change it by its methods, which hold its rules."""

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
