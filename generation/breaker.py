"""A circuit breaker: a model that fails again and again is left alone for a while, then asked once as a probe.

The clock is the caller's; times are seconds of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """``closed``: ask; ``open``: do not ask; ``half_open``: one request may probe whether it is back."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """After ``failures`` in a row it opens for ``seconds``, after a failed probe for ``again`` seconds."""

    failures: int = 5
    seconds: float = 60.0
    again: float = 30.0


class Breaker:
    """See the module. Each request calls ``take``, and at its end ``succeeded``, ``failed`` or ``released``."""

    def __init__(self, rules: BreakerRules | None = None) -> None:
        self._rules = rules or BreakerRules()
        self._failed = 0
        self._until: float | None = None
        self._probing = False

    def state(self, now: float) -> BreakerState:
        """How it stands."""
        if self._until is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if now >= self._until else BreakerState.OPEN

    def allows(self, now: float) -> bool:
        """Whether a request may be made now."""
        state = self.state(now)
        return state is BreakerState.CLOSED or (state is BreakerState.HALF_OPEN and not self._probing)

    def rests(self, now: float) -> float:
        """Seconds until a request may be made; 0 if it may now, or if only a probe's end is waited for."""
        return max(0.0, self._until - now) if self._until is not None else 0.0

    def take(self, now: float) -> bool:
        """A request begins; whether it is the probe. Ask ``allows`` first."""
        probe = self.state(now) is BreakerState.HALF_OPEN
        self._probing = self._probing or probe
        return probe

    def succeeded(self) -> None:
        """A request was answered: the model is there."""
        self._failed = 0
        self._until = None
        self._probing = False

    def failed(self, now: float, *, probe: bool) -> None:
        """A request failed, by the model's or its provider's fault. ``probe`` is what ``take`` said."""
        if probe:
            self._probing = False
            self._until = now + self._rules.again
        elif self._until is None:
            self._failed += 1
            if self._failed >= self._rules.failures:
                self._until = now + self._rules.seconds

    def released(self, *, probe: bool) -> None:
        """A request ended without saying anything of the model: cancelled, or refused for what it asked."""
        if probe:
            self._probing = False
