"""The lines of a file that answer a question best."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MOST_CHARACTERS: Final = 200_000
MOST_FOUND: Final = 4_000
LONGEST: Final = 200
"""Characters of a line that are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, 1 and up, with its text without white space around it."""

    line: int
    text: str


def lines(text: str, question: Mapping[str, float], most: int = 3) -> list[Line]:
    """The lines with the most of the question's terms, in their order; of those with as many the first ones."""
    terms = [term for term in question if len(term) > 1]
    if not terms or not text:
        return []
    terms.sort(key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(term) for term in terms), re.IGNORECASE)
    text = text[:MOST_CHARACTERS]
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    found: dict[int, set[str]] = {}
    for count, match in enumerate(pattern.finditer(text)):
        if count >= MOST_FOUND:
            break
        found.setdefault(bisect_right(starts, match.start()) - 1, set()).add(match[0].lower())
    weighed = sorted(
        found, key=lambda line: (-sum(question.get(term, 0.5) * len(term) ** 0.5 for term in found[line]), line)
    )
    best = sorted(weighed[:most])
    return [Line(line + 1, _shown(text, starts, line)) for line in best]


def _shown(text: str, starts: list[int], line: int) -> str:
    end = starts[line + 1] - 1 if line + 1 < len(starts) else len(text)
    said = text[starts[line] : end].strip()
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
