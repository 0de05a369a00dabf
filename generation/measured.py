"""What was measured of one model: how often it answers, how soon, how fast, how its tokens are to be counted.

Old measurements count less with time, so that a model that had a bad hour is not held to it for ever.
"""

from __future__ import annotations

from typing import Final

HALF_LIFE: Final = 300.0
"""Seconds after which a measured success or failure counts half."""
_TRUST: Final = 20.0
"""So many successes are assumed before anything is measured. They keep failures in a row from turning requests
away before the circuit breaker has seen them: who is not asked is never seen to be back.
"""
_WEIGHT: Final = 0.3
"""What the latest latency counts against those before."""
_SCALES: Final = (0.7, 2.0)


class Measured:
    """Measurements of one model by one process. Times are seconds."""

    def __init__(self) -> None:
        self.first_token: float | None = None
        """Seconds to the first token, smoothed; None before the first answer."""
        self.tokens_per_second: float | None = None
        self.scale = 1.0
        """Tokens of a prompt as the provider counts them, for one that is estimated here."""
        self._good = 0.0
        self._bad = 0.0
        self._at = 0.0

    def success(self, now: float) -> float:
        """The share of requests that were answered, from 0 to 1; close to 1 as long as little is known."""
        self._fade(now)
        return (self._good + _TRUST) / (self._good + self._bad + _TRUST)

    def answered(self, now: float, first_token: float, writing: float, tokens: int) -> None:
        """A request was answered: the first token after so many seconds, all ``tokens`` in ``writing`` more."""
        self._fade(now)
        self._good += 1
        self.first_token = _smoothed(self.first_token, first_token)
        if tokens > 0 and writing > 0:
            self.tokens_per_second = _smoothed(self.tokens_per_second, tokens / writing)

    def failed(self, now: float) -> None:
        """A request failed."""
        self._fade(now)
        self._bad += 1

    def recovered(self) -> None:
        """It is back after an outage: the failures of that say nothing of what follows."""
        self._bad = 0.0

    def counted(self, estimated: int, reported: int) -> None:
        """The provider has counted a prompt that was estimated here."""
        if estimated >= 200 and reported > 0:
            low, high = _SCALES
            self.scale = min(high, max(low, _smoothed(self.scale, reported / estimated)))

    def _fade(self, now: float) -> None:
        factor = 0.5 ** (max(0.0, now - self._at) / HALF_LIFE)
        self._good *= factor
        self._bad *= factor
        self._at = max(self._at, now)


def _smoothed(before: float | None, value: float) -> float:
    return value if before is None else before + _WEIGHT * (value - before)
