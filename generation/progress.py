"""How far a job is and how long it will still take, estimated from tokens and their measured rate."""

from __future__ import annotations

from typing import Final

from generation.jobs import JobState

_REACHED: Final[dict[JobState, float]] = {
    JobState.QUEUED: 0.0,
    JobState.PREPARING: 0.02,
    JobState.CONTEXT_ANALYSIS: 0.05,
    JobState.GENERATING: 0.1,
    JobState.POST_PROCESSING: 0.92,
    JobState.VALIDATING: 0.96,
}
_TAIL: Final = 0.1
"""A model that goes on beyond what was expected is assumed to need this part of it again."""


class Estimate:
    """The progress of one try. ``expected`` is a guess of the answer's tokens; times in seconds."""

    def __init__(self, expected: int) -> None:
        self._expected = max(1, expected)
        self._first: float | None = None
        self._progress = 0.0
        self.tokens = 0

    def stage(self, state: JobState) -> float:
        """The job has come to a stage; the progress, which never goes back."""
        self._progress = max(self._progress, _REACHED.get(state, 0.0))
        return self._progress

    def token(self, tokens: int, now: float) -> float:
        """So many tokens have come so far; the progress, which never goes back."""
        if self._first is None:
            self._first = now
        self.tokens = max(self.tokens, tokens)
        low, high = _REACHED[JobState.GENERATING], _REACHED[JobState.POST_PROCESSING]
        part = self.tokens / (self.tokens + self._remaining())
        self._progress = max(self._progress, low + (high - low) * min(part, 1.0))
        return self._progress

    def eta(self, now: float) -> float | None:
        """Seconds until the answer is complete; None as long as no rate is measured."""
        if self._first is None or now <= self._first or self.tokens < 2:
            return None
        rate = self.tokens / (now - self._first)
        return self._remaining() / rate

    def _remaining(self) -> float:
        return max(self._expected - self.tokens, self._expected * _TAIL)
