"""What is done when a model fails. The one owner of that decision; the provider client's own tries are off.

A state machine without I/O: ``next`` says what to do, the driver does it and tells how it went with one of
``answered``, ``failed`` and ``dropped``, then asks ``next`` again. Times are seconds of the caller's clock.

A failure that may pass is tried again on the same model, with exponential backoff and full jitter
(https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), never sooner than the provider asks
for. What does not pass, or would take too long, goes to the next model of the plan. A request that is too long
goes to a model with a larger window, or is made shorter, once each. What a content filter stops is never asked
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from generation.breaker import BreakerState
from generation.catalog import ModelSpec
from generation.choice import Plan
from generation.errors import (
    AnswerCut,
    ContentRefused,
    ContextOverflow,
    ModelError,
    ModelRateLimited,
    ModelRefused,
    ModelUnavailable,
    StreamBroken,
)
from generation.ports import Random
from generation.standing import Standing, Standings

PROBE_PAUSE: Final = 1.0
"""Seconds after which it is looked again how another request's probe of the only model went."""
SHORTER: Final = 0.5
"""What is left of the context of a request that was too long."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How much is tried, in seconds where not said otherwise."""

    tries: int = 3
    """How often one model is asked that fails."""
    backoff_first: float = 1.0
    backoff_most: float = 30.0
    patience: float = 10.0
    """A longer wait, or a failure that took longer, goes to another model if there is one."""
    longest_wait: float = 60.0
    """So long is waited at most for models that must be left alone."""
    attempts: int = 12
    """Requests for one job, to all models together."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so many seconds, then ask ``next``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ask:
    """Make a request. ``share`` is the part of the model's window that the context may take.

    ``continues`` says that an earlier answer was broken off of which something is kept; with ``prefill`` the model
    goes on from a beginning of its answer. ``why`` is for the room, and empty if there is nothing to say.
    """

    spec: ModelSpec
    share: float
    continues: bool
    prefill: bool
    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing more can be tried. With ``template``, a template may be offered instead of an answer."""

    error: ModelError
    template: bool


Step = Wait | Ask | GiveUp


class Resilience:
    """The tries of one job."""

    def __init__(self, plan: Plan, standings: Standings, policy: Policy, random: Random) -> None:
        self._models = plan.models
        self._standings = standings
        self._policy = policy
        self._random = random
        self._why = plan.why
        self._current = 0
        self._tries: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._out: set[str] = set()
        self._attempts = 0
        self._waited = 0.0
        self._share = 1.0
        self._grown = False
        self._continues = False
        self._error: ModelError | None = None
        self._final = False
        self._asked: Ask | None = None
        self._asked_at = 0.0
        self._probe = False

    @property
    def asked(self) -> ModelSpec | None:
        """The model that is being asked, or was last."""
        return self._asked.spec if self._asked is not None else None

    def next(self, now: float) -> Step:
        """What to do now. An ``Ask`` counts as made: tell how it went."""
        if self._final or self._attempts >= self._policy.attempts:
            return self._give_up(now)
        shortest: float | None = None
        for index in self._order():
            spec = self._models[index]
            standing = self._standings.of(spec.name)
            wait = max(self._not_before.get(spec.name, 0.0), standing.rests_until) - now
            if standing.breaker.allows(now):
                if wait <= 0:
                    return self._ask(index, standing, now)
                if wait <= self._policy.patience:
                    return Wait(wait)
            elif standing.breaker.state(now) is BreakerState.HALF_OPEN:
                wait = PROBE_PAUSE  # somebody else's probe is under way
            else:
                continue
            shortest = wait if shortest is None else min(shortest, wait)
        if shortest is None or self._waited + shortest > self._policy.longest_wait:
            return self._give_up(now)
        self._waited += shortest
        return Wait(shortest)

    def answered(self, now: float, first_token: float, tokens: int) -> None:
        """The model has answered in whole; its first token came after so many seconds."""
        standing = self._done()
        writing = now - self._asked_at - first_token
        standing.answered(now, first_token, writing, tokens, probe=self._probe)

    def dropped(self, *, kept: bool = False) -> None:
        """The request was given up from outside. ``kept``: what is complete of its answer stays."""
        self._continues = self._continues or kept
        self._done().released(probe=self._probe)

    def failed(self, error: ModelError, now: float, *, kept: bool) -> None:
        """The request failed. ``kept`` says that something of its answer is complete and stays."""
        standing, name = self._done(), self._models[self._current].name
        took = now - self._asked_at
        self._error = error
        self._why = ""
        self._continues = self._continues or kept
        match error:
            case ContentRefused():
                standing.released(probe=self._probe)
                self._final = True
            case ContextOverflow():
                standing.released(probe=self._probe)
                self._shorten(name)
            case ModelRefused(lasting=True):
                standing.failed(now, probe=self._probe)
                self._pass_on(name)
            case ModelRefused():
                standing.released(probe=self._probe)
                if self._asked is not None and self._asked.prefill:
                    standing.prefill_refused = True
                else:
                    self._pass_on(name)
            case AnswerCut():
                standing.released(probe=self._probe)
                if not kept:
                    self._longer_answer(name)
            case StreamBroken() | ModelUnavailable() | ModelRateLimited():
                standing.failed(now, probe=self._probe, rest=error.retry_after or 0.0)
                self._try_again(name, error, now, took)
            case _:
                standing.released(probe=self._probe)
                self._pass_on(name)

    # Inside

    def _order(self) -> list[int]:
        """The models that may still be asked: the present one, those after it, those before it."""
        count = len(self._models)
        order = [self._current, *range(self._current + 1, count), *range(self._current)]
        return [index for index in order if self._models[index].name not in self._out]

    def _ask(self, index: int, standing: Standing, now: float) -> Ask:
        spec = self._models[index]
        why = self._why
        if index != self._current or (self._asked is not None and self._asked.spec is not spec):
            before = self._models[self._current] if self._asked is None else self._asked.spec
            why = f"{spec.name} is asked instead of {before.name}: {self._reason(before, now)}"
        self._current = index
        self._attempts += 1
        self._asked_at = now
        self._probe = standing.take(now)
        prefill = self._continues and spec.has("prefill") and not standing.prefill_refused
        self._asked = Ask(spec, self._share, self._continues, prefill, why)
        return self._asked

    def _reason(self, before: ModelSpec, now: float) -> str:
        if self._error is not None:
            return self._error.message
        rest = self._standings.of(before.name).rests(now)
        return f"that one failed again and again and rests for {rest:.0f} s."

    def _done(self) -> Standing:
        return self._standings.of(self._models[self._current].name)

    def _try_again(self, name: str, error: ModelError, now: float, took: float) -> None:
        policy = self._policy
        tries = self._tries[name] = self._tries.get(name, 0) + 1
        others = any(self._models[index].name != name for index in self._order())
        if tries >= policy.tries or (others and took > policy.patience):
            self._pass_on(name)
            return
        most = min(policy.backoff_most, policy.backoff_first * 2.0 ** (tries - 1))
        self._not_before[name] = now + max(error.retry_after or 0.0, self._random.random() * most)

    def _pass_on(self, name: str) -> None:
        self._out.add(name)
        self._current = next(iter(self._order()), self._current)

    def _shorten(self, name: str) -> None:
        window = self._models[self._current].context_tokens
        larger = [index for index in self._order() if self._models[index].context_tokens > window]
        if larger and not self._grown:
            self._grown = True
            self._out.add(name)
            self._current = larger[0]
        elif self._share == 1.0:
            self._share = SHORTER
        else:
            self._final = True

    def _longer_answer(self, name: str) -> None:
        most = self._models[self._current].answer_tokens
        longer = [index for index in self._order() if self._models[index].answer_tokens > most]
        self._out.add(name)
        if longer:
            self._current = longer[0]
        else:
            self._final = True

    def _give_up(self, now: float) -> GiveUp:
        error = self._error
        if error is None:
            rests = [self._standings.of(model.name).rests(now) for model in self._models]
            names = ", ".join(model.name for model in self._models)
            error = ModelUnavailable(
                f"Nothing can be asked now: {names} failed again and again and will be asked again in "
                f"{max(1.0, min(rests)):.0f} s. Retry the job then."
            )
        return GiveUp(error, template=not isinstance(error, ContentRefused))
