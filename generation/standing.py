"""How each model of a process stands right now: what was measured of it, its breaker, its load."""

from __future__ import annotations

from dataclasses import dataclass, field

from generation.breaker import Breaker, BreakerRules, BreakerState
from generation.measured import Measured


@dataclass(slots=True)
class Standing:
    """One model. ``running`` counts the requests that are under way."""

    breaker: Breaker
    measured: Measured = field(default_factory=Measured)
    running: int = 0
    rests_until: float = 0.0
    """Its provider asked to be left alone until then."""
    prefill_refused: bool = False
    """It was declared to go on from a beginning of its answer, and refuses one."""

    def available(self, now: float) -> bool:
        """Whether it may be asked now."""
        return self.breaker.allows(now) and now >= self.rests_until

    def rests(self, now: float) -> float:
        """Seconds until it may be asked again."""
        return max(self.breaker.rests(now), self.rests_until - now, 0.0)

    def probe_due(self, now: float) -> bool:
        """Whether it was left alone long enough, so that a request should see whether it is back."""
        return self.breaker.state(now) is BreakerState.HALF_OPEN and self.available(now)

    def take(self, now: float) -> bool:
        """A request begins; whether it is a probe."""
        self.running += 1
        return self.breaker.take(now)

    def answered(self, now: float, first_token: float, writing: float, tokens: int, *, probe: bool) -> None:
        """The request was answered."""
        self.running -= 1
        self.breaker.succeeded()
        if probe:
            self.measured.recovered()
        self.measured.answered(now, first_token, writing, tokens)

    def failed(self, now: float, *, probe: bool, rest: float = 0.0) -> None:
        """The request failed; the provider asked to wait for ``rest`` seconds."""
        self.running -= 1
        self.rests_until = max(self.rests_until, now + rest)
        self.measured.failed(now)
        self.breaker.failed(now, probe=probe)

    def released(self, *, probe: bool) -> None:
        """The request ended without saying anything of the model."""
        self.running -= 1
        self.breaker.released(probe=probe)


class Standings:
    """All models of a process, by name."""

    def __init__(self, rules: BreakerRules | None = None) -> None:
        self._rules = rules
        self._models: dict[str, Standing] = {}

    def of(self, model: str) -> Standing:
        """How a model stands; a new one stands well."""
        return self._models.setdefault(model, Standing(Breaker(self._rules)))
