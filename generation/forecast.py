"""How long an answer will be, as a distribution: what jobs alike had, as far as it is not ruled out already.

The lengths of similar answers, each blurred to a log-normal distribution, are a mixture (a kernel density
estimate). While an answer grows, all that is shorter than it is by now is cut off, so the expectation of what is
left never falls to nothing before the end is there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from generation.experience import Weighed

_PRIOR_WEIGHT: Final = 0.4
"""The first guess counts as much as this part of one job that was exactly alike."""
_PRIOR_SPREAD: Final = 1.0
_LEAST_BLUR: Final = 0.04
_MOST_BLUR: Final = 0.6
_STEPS: Final = 22
"""Halvings of the interval in which the median is looked for: to about a token."""
_ROOT_2: Final = math.sqrt(2.0)


class Forecast:
    """The length of one answer in tokens. ``guess`` is what counts where nothing was learned."""

    def __init__(self, guess: int, lengths: Sequence[Weighed]) -> None:
        self._parts = [(math.log(max(1, guess)), _PRIOR_WEIGHT, _PRIOR_SPREAD)]
        blur = _blur(lengths)
        self._parts += [(one.value, one.weight, blur) for one in lengths]

    def beyond(self, tokens: float) -> float:
        """The chance, up to a constant factor, that the answer is longer than this."""
        at = math.log(max(tokens, 1e-9))
        return sum(
            weight * math.erfc((at - middle) / (spread * _ROOT_2)) for middle, weight, spread in self._parts
        )

    def total(self, tokens: float) -> float:
        """The length that is as likely passed as not, given that so many tokens are there already."""
        low = max(tokens, 1.0)
        goal = self.beyond(low) / 2
        if goal <= 1e-300:
            return low * 1.1  # It is longer than everything that was thought possible.
        high = max(2 * low, math.exp(max(middle for middle, _, _ in self._parts)))
        while self.beyond(high) > goal:
            low, high = high, 2 * high
        for _ in range(_STEPS):
            half = (low + high) / 2
            low, high = (half, high) if self.beyond(half) > goal else (low, half)
        return (low + high) / 2

    def chance(self, tokens: float, low: float, high: float) -> float:
        """The chance that the length is between two values, given that so many tokens are there already."""
        rest = self.beyond(max(tokens, 1.0))
        if rest <= 1e-300:
            return 0.0
        return max(0.0, min(1.0, (self.beyond(max(low, tokens)) - self.beyond(max(high, tokens))) / rest))


def _blur(lengths: Sequence[Weighed]) -> float:
    """The width of each part: Silverman's rule, narrowed, as parts of that width make the whole too wide."""
    total = sum(one.weight for one in lengths)
    if not total:
        return _MOST_BLUR
    mean = sum(one.value * one.weight for one in lengths) / total
    spread = math.sqrt(sum(one.weight * (one.value - mean) ** 2 for one in lengths) / total)
    worth = total * total / sum(one.weight**2 for one in lengths)
    if worth < 2:
        return _MOST_BLUR
    return min(_MOST_BLUR, max(_LEAST_BLUR, 0.8 * spread * float(worth**-0.2)))
