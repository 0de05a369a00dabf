"""Jobs of three kinds, played against the estimator with a clock of their own."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from collab.ids import JobId, RoomId
from generation.experience import Experience, Traits, words_of
from generation.progress import Estimate, Outlook
from generation.states import JobState
from generation.views import StrategyName

MARKS: Final = (0.0, 0.25, 0.5, 0.75)
"""The parts of a job's duration at which its estimate is looked at."""
ROOM: Final = RoomId("r")
_NAMES: Final = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa")


@dataclass(frozen=True, slots=True)
class Kind:
    """Jobs that resemble each other. ``length`` is the tokens of an answer about a file of so many tokens."""

    strategy: StrategyName
    prompt: str
    file_tokens: int
    length: Callable[[random.Random, int], float]


KINDS: Final = (
    Kind(
        "targeted",
        "Add a docstring to the function {name} in {name}.py",
        300,
        lambda chance, _: 150 * math.exp(chance.gauss(0, 0.15)),
    ),
    Kind(
        "selective",
        "Write unit tests for the module {name}.py",
        800,
        lambda chance, _: 900 * math.exp(chance.gauss(0, 0.15)),
    ),
    Kind(
        "full",
        "Rewrite the whole file {name}.py with type hints",
        2_000,
        lambda chance, size: size * math.exp(chance.gauss(0.05, 0.08)),
    ),
)


@dataclass(frozen=True, slots=True)
class Look:
    """An estimate at one moment of a job, and what came of it. Seconds."""

    mark: float
    elapsed: float
    outlook: Outlook
    duration: float

    @property
    def off(self) -> float:
        """How far the estimated end was from the real one, as a part of the whole duration."""
        assert self.outlook.eta_seconds is not None
        return abs(self.elapsed + self.outlook.eta_seconds - self.duration) / self.duration

    @property
    def off_remaining(self) -> float:
        """How far the estimate was from what remained, as a part of that."""
        assert self.outlook.eta_seconds is not None
        return abs(self.outlook.eta_seconds / (self.duration - self.elapsed) - 1)


class Player:
    """Plays jobs one after the other and lets each teach the next."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.experience = Experience()
        self._played = 0

    def play(self, kind: Kind, model: str = "m") -> list[Look]:
        """One job; what was said of it at each mark."""
        chance = self.random
        self._played += 1
        size = int(kind.file_tokens * math.exp(chance.gauss(0, 0.5)))
        name = f"{chance.choice(_NAMES)}{chance.randrange(100)}"
        traits = Traits(ROOM, model, kind.strategy, words_of(kind.prompt.format(name=name)), size, size + 2_000)
        tokens = max(10, round(kind.length(chance, size)))
        rate = 200 * math.exp(chance.gauss(0, 0.08))
        wait = 0.6 * math.exp(chance.gauss(0, 0.25))
        asked, first, last = 0.02, 0.02 + wait, 0.02 + wait + tokens / rate
        duration = last + 0.05
        estimate = Estimate(0.0)
        estimate.stage(JobState.PREPARING, 0.0)
        estimate.expect(traits, self.experience.lessons(traits))
        estimate.stage(JobState.GENERATING, asked)
        looks: list[Look] = []
        left = list(MARKS)
        for count in [*range(5, tokens, 5), tokens]:
            now = first + count / rate
            while left and max(asked, left[0] * duration) <= now:
                at = max(asked, left[0] * duration)
                looks.append(Look(left.pop(0), at, estimate.outlook(at), duration))
            estimate.token(count, now)
        estimate.stage(JobState.POST_PROCESSING, last)
        sample = estimate.sample(duration)
        assert sample is not None
        self.experience.learn(JobId(f"j{self._played}"), sample)
        return looks
