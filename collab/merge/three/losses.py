"""The check that every merge below whole lines must pass: nothing that somebody wrote or removed is lost."""

from __future__ import annotations

from collections import Counter

from collab.merge.three.lines import split
from collab.merge.three.matching import minimal
from collab.merge.three.tokens import words


def loses(base: str, ours: str, theirs: str, merged: str) -> bool:
    """Whether ``merged`` lacks a word that one side added, or has a line back that one side removed.

    A word counts as added when a side has it more often than the base and the other side have. A line counts as
    removed when one side has it less often than the base and the other side as often.
    """
    was, one, other, now = words(base), words(ours), words(theirs), words(merged)
    for side, opposite in ((one, other), (other, one)):
        if any(count > was[word] and count > opposite[word] and now[word] < count for word, count in side.items()):
            return True
    lines, mine, yours, result = _lines(base), _lines(ours), _lines(theirs), _lines(merged)
    for line, count in lines.items():
        less = min(mine[line], yours[line])
        if less < count == max(mine[line], yours[line]) and result[line] > less:
            return True
    return False


def disturbs(base: str, ours: str, merged: str) -> bool:
    """Whether a code point that ours put in since the base is deleted, moved or split from its neighbour."""
    put: list[tuple[int, int]] = []
    shift = 0
    for start, end, replacement in minimal(base, ours):
        if replacement:
            put.append((start + shift, start + shift + len(replacement)))
        shift += len(replacement) - (end - start)
    return any(
        max(low, start) < min(high, end) or (low < start == end < high)
        for start, end, _ in minimal(ours, merged)
        for low, high in put
    )


def _lines(text: str) -> Counter[str]:
    """How often ``text`` has each line that has a letter or a digit in it."""
    return Counter(line.rstrip("\n") for line in split(text) if any(map(str.isalnum, line)))
