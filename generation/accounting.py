"""What was used, and what it cost: each try is counted to the model that was asked in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from generation.catalog import Price

_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request. ``cached`` are those of the prompt that the provider had cached."""

    prompt: int = 0
    answer: int = 0
    cached: int = 0
    estimated: bool = False
    """Whether the provider did not say, so that these are guesses."""


def cost(price: Price | None, usage: Usage) -> float | None:
    """US dollars for a request; None where no price is known."""
    if price is None:
        return None
    cached = min(usage.cached, usage.prompt)
    dollars = (usage.prompt - cached) * price.prompt + cached * price.cached + usage.answer * price.answer
    return dollars / _MILLION


def total(costs: Iterable[float | None]) -> float | None:
    """The sum of the costs that are known; None if none is."""
    known = [one for one in costs if one is not None]
    return sum(known) if known else None
