"""Puts several rankings together by the ranks alone, as their scores have nothing in common.

Reciprocal rank fusion (Cormack, Clarke, Buettcher: Reciprocal Rank Fusion outperforms Condorcet, SIGIR 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_DAMPING: Final = 60
"""The paper's constant: how little it matters whether something is first or second."""


def fused(rankings: Sequence[Sequence[str]]) -> list[tuple[str, float]]:
    """All that occurs in a ranking, the best first, with a score from 0 to 1; 1 is first in all of them."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, one in enumerate(dict.fromkeys(ranking), start=1):
            scores[one] = scores.get(one, 0.0) + (_DAMPING + 1) / (_DAMPING + place)
    best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return [(one, score / max(1, len(rankings))) for one, score in best]
