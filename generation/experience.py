"""What finished jobs have taught about how long one takes: samples, and those that resemble a job.

Samples come from the records of jobs, so they outlive the process and go with the keep of a room to another node.
Resemblance is a product of weights: the same model, the same strategy, similar words, similar sizes. Sizes are
compared on a logarithmic scale, since an answer twice as long is as far off as one half as long.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collab.ids import JobId, RoomId
from generation.views import StrategyName

MOST_SAMPLES: Final = 600
"""Jobs of all rooms that are remembered in one process; the oldest are forgotten first."""
MOST_NEIGHBOURS: Final = 24
"""Samples that an estimate is made from."""
MOST_WORDS: Final = 80

_WORD: Final = re.compile(r"\w+")
_SCAN_CHARS: Final = 4_000
_OTHER_ROOM: Final = 0.5
_OTHER_MODEL: Final = 0.3
_OTHER_STRATEGY: Final = 0.05
_HALF_AGE: Final = 60
"""After so many later jobs a sample counts half."""
_SIZE_SPREAD: Final = 0.8
"""How far apart the logarithms of two sizes may be and still count as alike: one standard deviation."""
_LEAST_LIKE: Final = 0.03
"""What remains of a sample's weight when its prompt shares no word."""
_RIDGE: Final = 0.3
"""Holds the slope of answer over size at 0 as long as few samples say otherwise."""
_SECONDS: Final = ("preparing", "waiting", "generating", "finishing")


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a job before its answer begins.

    ``named_tokens`` is the size of the files that the request is about, ``prompt_tokens`` that of all messages.
    """

    room: RoomId
    model: str
    strategy: StrategyName
    words: frozenset[str]
    named_tokens: int
    prompt_tokens: int


AT_ONCE: Final = 0.001
"""Seconds that an answer counts as, that came in one piece."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A job that came to its end: its traits, the tokens of its answer, and seconds of its parts.

    ``waiting`` is from the request to the first token, ``finishing`` all that comes after the last one.
    """

    traits: Traits
    tokens: int
    preparing: float
    waiting: float
    generating: float
    finishing: float

    @property
    def rate(self) -> float:
        """Tokens per second once they came."""
        return self.tokens / max(self.generating, AT_ONCE)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A value that a sample suggests, and how much it counts."""

    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the samples say about one job.

    ``lengths`` are natural logarithms of tokens, ``rates`` tokens per second, the others seconds.

    ``similar`` is how many samples that count fully the lengths are worth.
    """

    lengths: tuple[Weighed, ...] = ()
    rates: tuple[Weighed, ...] = ()
    waits: tuple[Weighed, ...] = ()
    finishes: tuple[Weighed, ...] = ()

    @property
    def similar(self) -> float:
        """The sum of the lengths' weights."""
        return sum(one.weight for one in self.lengths)


def words_of(prompt: str) -> frozenset[str]:
    """The words by which prompts are compared."""
    found = dict.fromkeys(word.lower() for word in _WORD.findall(prompt[:_SCAN_CHARS]))
    return frozenset(list(found)[:MOST_WORDS])


class Experience:
    """The samples of a process, oldest first."""

    def __init__(self, most: int = MOST_SAMPLES) -> None:
        self._most = most
        self._samples: OrderedDict[JobId, Sample] = OrderedDict()

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self._samples)

    def learn(self, job: JobId, sample: Sample) -> None:
        """Takes in a finished job; the same job again replaces what it taught."""
        self._samples.pop(job, None)
        self._samples[job] = sample
        if len(self._samples) > self._most:
            self._samples.popitem(last=False)

    def forget(self, room: RoomId) -> None:
        """Forgets what a room's jobs taught."""
        for job in [job for job, sample in self._samples.items() if sample.traits.room == room]:
            del self._samples[job]

    def lessons(self, traits: Traits) -> Lessons:
        """What is known for a job with these traits."""
        lengths: list[tuple[Sample, float]] = []
        speeds: list[tuple[Sample, float]] = []
        for age, sample in enumerate(reversed(self._samples.values())):
            fresh = 0.5 ** (age / _HALF_AGE)
            if sample.traits.model == traits.model:
                speeds.append((sample, fresh))
            weight = fresh * _alike(sample.traits, traits)
            if weight > 1e-4:
                lengths.append((sample, weight))
        lengths.sort(key=lambda one: -one[1])
        speeds = speeds[:MOST_NEIGHBOURS]
        finishes = [(sample, weight) for sample, weight in lengths if sample.traits.model == traits.model]
        return Lessons(
            lengths=_shifted(lengths[:MOST_NEIGHBOURS], traits),
            rates=tuple(Weighed(sample.rate, weight) for sample, weight in speeds),
            waits=tuple(
                Weighed(sample.waiting, weight * _near(sample.traits.prompt_tokens, traits.prompt_tokens))
                for sample, weight in speeds
            ),
            finishes=tuple(Weighed(sample.finishing, weight) for sample, weight in finishes[:MOST_NEIGHBOURS]),
        )


def middle(values: Iterable[Weighed]) -> float | None:
    """The weighted median; None without values."""
    ordered = sorted((one for one in values if one.weight > 0), key=lambda one: one.value)
    half = sum(one.weight for one in ordered) / 2
    for one in ordered:
        half -= one.weight
        if half <= 0:
            return one.value
    return ordered[-1].value if ordered else None


def spread(values: Sequence[Weighed]) -> float:
    """The weighted standard deviation of the values' logarithms; 0 for fewer than two."""
    logs = [Weighed(math.log(max(one.value, 1e-3)), one.weight) for one in values if one.weight > 0]
    total = sum(one.weight for one in logs)
    if len(logs) < 2 or not total:
        return 0.0
    mean = sum(one.value * one.weight for one in logs) / total
    return math.sqrt(sum(one.weight * (one.value - mean) ** 2 for one in logs) / total)


def timings(sample: Sample) -> dict[str, float]:
    """The part of a sample that a job's record keeps beside what it holds anyway."""
    kept = {name: round(getattr(sample, name), 4) for name in _SECONDS}
    return {
        **kept,
        "tokens": sample.tokens,
        "named_tokens": sample.traits.named_tokens,
        "prompt_tokens": sample.traits.prompt_tokens,
    }


def sample_of(
    kept: Mapping[str, float], room: RoomId, model: str, strategy: StrategyName | None, prompt: str
) -> Sample | None:
    """The reverse of ``timings``, with the rest from the job; None for what is no whole sample."""
    names = (*_SECONDS, "tokens", "named_tokens", "prompt_tokens")
    values = {name: kept.get(name) for name in names}
    if strategy is None or not all(
        isinstance(value, int | float) and math.isfinite(value) and value >= 0 for value in values.values()
    ):
        return None
    if kept["tokens"] < 1:
        return None
    sizes = int(kept["named_tokens"]), int(kept["prompt_tokens"])
    traits = Traits(room, model, strategy, words_of(prompt), *sizes)
    return Sample(traits, int(kept["tokens"]), *(float(kept[name]) for name in _SECONDS))


def _alike(one: Traits, other: Traits) -> float:
    weight = 1.0 if one.strategy == other.strategy else _OTHER_STRATEGY
    if one.model != other.model:
        weight *= _OTHER_MODEL
    if one.room != other.room:
        weight *= _OTHER_ROOM
    weight *= _near(one.named_tokens, other.named_tokens)
    if weight <= 1e-4:
        return 0.0
    both = len(one.words | other.words)
    shared = len(one.words & other.words) / both if both else 1.0
    # The square: of two prompts of one kind more than half of the words are the same, of others a few.
    return weight * max(_LEAST_LIKE, shared * shared)


def _near(one: int, other: int) -> float:
    """1 for equal sizes, falling off like a bell over the logarithm of their ratio."""
    off = (math.log1p(one) - math.log1p(other)) / _SIZE_SPREAD
    return math.exp(-0.5 * off * off)


def _shifted(samples: Sequence[tuple[Sample, float]], traits: Traits) -> tuple[Weighed, ...]:
    """The logarithms of the samples' lengths, each moved to where it would be for the size at hand.

    That is a line through the samples, weighted, of length over size of the named files (local linear regression,
    see Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 6.1): answers that repeat a file are as
    long as it, answers that change a line are not.
    """
    total = sum(weight for _, weight in samples)
    if not total:
        return ()
    points = [
        (math.log1p(sample.traits.named_tokens), math.log(sample.tokens), weight) for sample, weight in samples
    ]
    mean_x = sum(x * weight for x, _, weight in points) / total
    mean_y = sum(y * weight for _, y, weight in points) / total
    # Weights are made to sum to the number of samples: few alike ones may say as much as many.
    scale = len(points) / total
    over = sum(scale * weight * (x - mean_x) * (y - mean_y) for x, y, weight in points)
    under = sum(scale * weight * (x - mean_x) ** 2 for x, _, weight in points) + _RIDGE
    slope = min(1.2, max(0.0, over / under))
    here = math.log1p(traits.named_tokens)
    return tuple(Weighed(y + slope * (here - x), weight) for x, y, weight in points)
