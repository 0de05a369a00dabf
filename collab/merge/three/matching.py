"""What stands where: the smallest changes between two texts, and places carried from one to the other."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from collab.merge.three.lines import diff, split
from collab.merge.three.tokens import LARGEST, tokens


class Change(NamedTuple):
    """Code points ``start:end`` of a text are to be replaced."""

    start: int
    end: int
    replacement: str


class Matching:
    """Carries offsets, in code points, from ``base`` to ``other``."""

    def __init__(self, base: str, other: str) -> None:
        self.changes = minimal(base, other)
        self._starts: list[int] = []
        self._shifts = [0]
        for start, end, replacement in self.changes:
            self._starts.append(start)
            self._shifts.append(self._shifts[-1] + len(replacement) - (end - start))

    def offset(self, at: int) -> int:
        """Where the text before ``at`` ends in the other text; inside of a change, where that begins there."""
        index = bisect_right(self._starts, at - 1)
        if index and at < self.changes[index - 1].end:
            return self.changes[index - 1].start + self._shifts[index - 1]
        return at + self._shifts[index]


def map_offset(base: str, other: str, offset: int) -> int:
    """Where a place of ``base`` is in ``other``; to carry many, keep a :class:`Matching`."""
    return Matching(base, other).offset(offset)


def minimal(before: str, after: str, start: int = 0) -> list[Change]:
    """The changes of words and signs that make ``after`` of ``before``, which stands at ``start``.

    Ascending and apart from each other; each begins and ends with code points that differ.
    """
    if not before or not after:
        return [Change(start, start + len(before), after)] if before or after else []
    a, b = split(before), split(after)
    changes: list[Change] = []
    line = 0
    for i0, i1, j0, j1 in diff(a, b):
        start += sum(map(len, a[line:i0]))
        old = "".join(a[i0:i1])
        changes += _in_lines(old, "".join(b[j0:j1]), start)
        start += len(old)
        line = i1
    return changes


def _in_lines(before: str, after: str, start: int) -> list[Change]:
    if not before or not after or max(len(before), len(after)) > LARGEST:
        return [Change(start, start + len(before), after)]
    a, b = tokens(before), tokens(after)
    changes: list[Change] = []
    token = 0
    for i0, i1, j0, j1 in diff(a, b):
        start += sum(map(len, a[token:i0]))
        old = "".join(a[i0:i1])
        changes.append(_trimmed(start, old, "".join(b[j0:j1])))
        start += len(old)
        token = i1
    return changes


def _trimmed(start: int, old: str, new: str) -> Change:
    shorter = min(len(old), len(new))
    first = 0
    while first < shorter and old[first] == new[first]:
        first += 1
    last = 0
    while last < shorter - first and old[-1 - last] == new[-1 - last]:
        last += 1
    return Change(start + first, start + len(old) - last, new[first : len(new) - last])
