"""The lines of a file that answer a question best."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

MOST_CHARACTERS: Final = 200_000
MOST_FOUND: Final = 300
"""Places of one term that are looked at."""
LONGEST: Final = 200
"""Characters of a line that are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, 1 and up, with its text without white space around it."""

    line: int
    text: str


def lines(text: str, question: Mapping[str, float], most: int = 3) -> list[Line]:
    """The lines with the most of the question's terms, in their order; of those with as many the first ones.

    A longer term counts more. Terms are looked for as they are, in small letters, also inside of words.
    """
    rows = text[:MOST_CHARACTERS].split("\n")
    small = "\n".join(rows).lower()
    ends = list(accumulate(len(row) + 1 for row in small.split("\n")))
    weights: dict[int, float] = {}
    for term, wanted in question.items():
        weight = wanted * len(term) ** 0.5
        at, last = small.find(term) if len(term) > 1 else -1, -1
        for _ in range(MOST_FOUND):
            if at < 0:
                break
            line = bisect_right(ends, at)
            if line != last:
                weights[line] = weights.get(line, 0.0) + weight
                last = line
            # The rest of the line tells nothing more of this term.
            at = small.find(term, ends[line])
    best = sorted(sorted(weights, key=lambda line: (-weights[line], line))[:most])
    return [Line(line + 1, _short(rows[line].strip())) for line in best]


def _short(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
