"""How far a job is and how long it still takes: learned from jobs alike, corrected by what its stream shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from generation.experience import Lessons, Sample, Traits, middle, spread
from generation.forecast import Forecast
from generation.states import JobState

REACHED: Final[dict[JobState, float]] = {
    JobState.QUEUED: 0.0,
    JobState.PREPARING: 0.02,
    JobState.CONTEXT_ANALYSIS: 0.05,
    JobState.GENERATING: 0.1,
    JobState.POST_PROCESSING: 0.92,
    JobState.VALIDATING: 0.96,
}
"""The progress at which a stage begins."""
MOST: Final = 0.99
"""Only a job that is done is all there."""
GUESSES: Final = {"targeted": 600, "selective": 1_500, "full": 3_000}
"""Tokens of an answer by strategy, where nothing was learned."""
TOLERANCE: Final = 0.2
"""What the confidence is about: that the time remaining is within this part of the estimate."""

_ANEW: Final = 0.25
"""Seconds for which a forecast is good enough."""
_HALF_LIFE: Final = 6.0
"""Seconds after which what was measured of the rate counts half."""
_PRIOR_SECONDS: Final = 1.5
"""The rate of earlier jobs counts as much as so many seconds of this one's stream."""
_LEAST_MEASURED: Final = 0.2
_RATE_NOISE: Final = 0.05
_UNKNOWN_SPREAD: Final = 0.4
_OVERDUE: Final = 0.2
"""A wait that is longer than usual is assumed to go on for this part of what it took already."""
_HALF_SURE: Final = 0.4
"""So many jobs that are exactly alike make half of the certainty that samples can give."""
_ROOT_2: Final = math.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be said of a try at one moment. ``confidence`` is the estimated chance, 0 to 1, that the time
    remaining is within a fifth of ``eta_seconds``; both are None where there is nothing to go by.
    """

    progress: float
    eta_seconds: float | None = None
    confidence: float | None = None
    expected_tokens: int | None = None


class Estimate:
    """The progress of one try, which never goes back and is below 1 until the job is done. Times in seconds.

    Call ``stage`` as the job goes on, ``expect`` once its traits are known, and ``token`` as its answer comes.
    """

    def __init__(self, now: float) -> None:
        self._state = JobState.QUEUED
        self._entered: dict[JobState, float] = {}
        self._began = now
        self._traits: Traits | None = None
        self._lessons = Lessons()
        self._forecast = Forecast(GUESSES["selective"], ())
        self._progress = 0.0
        self._first: float | None = None
        self._last = now
        self._measured = 0.0
        self._measured_seconds = 0.0
        self._total = 0.0
        self._total_at = -math.inf
        self._usual_rate: float | None = None
        self._usual_wait: float | None = None
        self._usual_finish: float | None = None
        self._rate_varies = _UNKNOWN_SPREAD
        self._finish_varies = _UNKNOWN_SPREAD
        self.tokens = 0
        """Tokens of the answer so far, as the stream counts them."""

    def expect(self, traits: Traits, lessons: Lessons) -> None:
        """Says what kind of job it is, and what is known of such jobs."""
        self._traits = traits
        self._lessons = lessons
        self._forecast = Forecast(GUESSES[traits.strategy], lessons.lengths)
        self._usual_rate = middle(lessons.rates)
        self._usual_wait = middle(lessons.waits)
        self._usual_finish = middle(lessons.finishes)
        self._rate_varies = spread(lessons.rates) if len(lessons.rates) > 1 else _UNKNOWN_SPREAD
        self._finish_varies = spread(lessons.finishes) if len(lessons.finishes) > 1 else _UNKNOWN_SPREAD
        self._total_at = -math.inf

    def stage(self, state: JobState, now: float) -> None:
        """The job has come to a stage."""
        self._state = state
        self._entered.setdefault(state, now)
        self._reach(REACHED.get(state, 0.0))

    def token(self, tokens: int, now: float) -> None:
        """So many tokens of the answer have come so far."""
        if tokens <= self.tokens:
            return
        if self._first is None:
            self._first = now
        else:
            passed = max(0.0, now - self._last)
            faded = 0.5 ** (passed / _HALF_LIFE)
            self._measured = self._measured * faded + tokens - self.tokens
            self._measured_seconds = self._measured_seconds * faded + passed
        self._last = now
        self.tokens = tokens

    def outlook(self, now: float) -> Outlook:
        """What can be said now."""
        if self._state is JobState.GENERATING:
            return self._generating(now)
        if self._state in {JobState.POST_PROCESSING, JobState.VALIDATING}:
            return self._finishing(now)
        return Outlook(self._progress)

    def sample(self, now: float) -> Sample | None:
        """What the job teaches, as it has come to its end; None for one whose answer was not measured."""
        asked = self._entered.get(JobState.GENERATING)
        if self._traits is None or asked is None or self._first is None or self.tokens < 1:
            return None
        return Sample(
            self._traits,
            tokens=self.tokens,
            preparing=max(0.0, asked - self._began),
            waiting=max(0.0, self._first - asked),
            generating=max(0.0, self._last - self._first),
            finishing=max(0.0, now - self._last),
        )

    def _reach(self, progress: float) -> float:
        self._progress = max(self._progress, min(progress, MOST))
        return self._progress

    def _generating(self, now: float) -> Outlook:
        total = self._expected(now)
        rest = max(0.0, total - self.tokens)
        eta, confidence = self._time(rest, now)
        spent = now - self._entered[JobState.GENERATING]
        if eta is not None:
            part = spent / (spent + eta) if spent + eta > 0 else 0.0
        else:
            part = self.tokens / total
        low, high = REACHED[JobState.GENERATING], REACHED[JobState.POST_PROCESSING]
        return Outlook(self._reach(low + (high - low) * min(part, MOST)), eta, confidence, round(total))

    def _expected(self, now: float) -> float:
        if now - self._total_at >= _ANEW or self._total <= self.tokens:
            self._total = self._forecast.total(self.tokens)
            self._total_at = now
        return self._total

    def _time(self, rest: float, now: float) -> tuple[float | None, float | None]:
        """The seconds remaining, and how sure that is. ``rest`` is in tokens."""
        rate = self._rate(now)
        if rate is None:
            return None, None
        wait = self._wait(now)
        if wait is None:
            return None, None
        fixed = wait + (self._usual_finish or 0.0)
        eta = fixed + rest / rate
        low = self.tokens + max(0.0, eta / (1 + TOLERANCE) - fixed) * rate
        high = self.tokens + max(0.0, eta / (1 - TOLERANCE) - fixed) * rate
        sure = self._forecast.chance(self.tokens, low, high) * self._rate_chance() * self._evidence()
        return eta, round(sure, 3)

    def _rate(self, now: float) -> float | None:
        usual = self._usual_rate
        # A silence counts as well: the stream may have become slower.
        seconds = self._measured_seconds + (max(0.0, now - self._last) if self._first is not None else 0.0)
        if usual is None:
            if seconds < _LEAST_MEASURED or not self._measured:
                return None
            return self._measured / seconds
        return (usual * _PRIOR_SECONDS + self._measured) / (_PRIOR_SECONDS + seconds)

    def _wait(self, now: float) -> float | None:
        """Seconds until the first token; None if nothing is known of it."""
        if self._first is not None:
            return 0.0
        usual = self._usual_wait
        if usual is None:
            return None
        waited = now - self._entered[JobState.GENERATING]
        return max(usual - waited, _OVERDUE * waited)

    def _rate_chance(self) -> float:
        """The chance that the rate is about right."""
        varies = self._rate_varies * _PRIOR_SECONDS / (_PRIOR_SECONDS + self._measured_seconds)
        return math.erf(TOLERANCE / ((varies + _RATE_NOISE) * _ROOT_2))

    def _evidence(self) -> float:
        similar = self._lessons.similar
        return similar / (similar + _HALF_SURE)

    def _finishing(self, now: float) -> Outlook:
        usual = self._usual_finish
        if usual is None:
            return Outlook(self._progress, expected_tokens=self.tokens)
        passed = max(0.0, now - self._last)
        eta = max(usual - passed, _OVERDUE * passed)
        sure = math.erf(TOLERANCE / ((self._finish_varies + _RATE_NOISE) * _ROOT_2)) * self._evidence()
        return Outlook(self._progress, eta, round(sure, 3), self.tokens)
