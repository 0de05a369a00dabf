"""Where two sequences certainly belong together: elements that both have exactly once, in the same order."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress, pairwise
from operator import ne, sub
from typing import Final

RUN: Final = 6
"""Unique elements in a row, side by side in both sequences, that are taken to belong to each other."""

Box = tuple[int, int, int, int]
"""Elements ``i0:i1`` of one sequence and ``j0:j1`` of the other."""


def between_runs(
    a: Sequence[str], b: Sequence[str], in_a: Counter[str], in_b: Counter[str], box: Box
) -> list[Box]:
    """The parts of ``box`` between long runs of unique elements; what is outside of them is equal.

    ``in_a`` and ``in_b`` count the elements of all of ``a`` and ``b``. Written to spend its time inside of the
    interpreter's own loops, as it sees every line of a large file.
    """
    a0, a1, b0, b1 = box
    here, there = a[a0:a1], b[b0:b1]
    unique = _once(in_a) & _once(in_b)
    left = list(compress(range(a0, a1), map(unique.__contains__, here)))
    right = compress(range(b0, b1), map(unique.__contains__, there))
    places = dict(zip(filter(unique.__contains__, there), right, strict=True))
    partners = [places.get(line, -1) for line in filter(unique.__contains__, here)]
    boxes: list[Box] = []
    for i, j, length in _rising(_runs(left, partners)):
        boxes.append((a0, i, b0, j))
        a0, b0 = i + length, j + length
        boxes += _differing(a, b, (i, a0, j, b0), left)
    boxes.append((a0, a1, b0, b1))
    return [(i0, i1, j0, j1) for i0, i1, j0, j1 in boxes if i0 < i1 or j0 < j1]


def _differing(a: Sequence[str], b: Sequence[str], box: Box, unique: Sequence[int]) -> Iterator[Box]:
    """The parts of a run, as long in ``b`` as in ``a``, between two unique elements, where it is not equal."""
    i0, i1, j0, j1 = box
    upto = i0
    for i in compress(range(i0, i1), map(ne, a[i0:i1], b[j0:j1])):
        if i >= upto:
            at = bisect_left(unique, i)
            start, upto = unique[at - 1] + 1, unique[at]
            yield start, upto, start + j0 - i0, upto + j0 - i0


def _once(counts: Counter[str]) -> set[str]:
    return set(compress(counts, map((1).__eq__, counts.values())))


def _runs(left: Sequence[int], partners: Sequence[int]) -> list[tuple[int, int, int]]:
    """(index, partner, length) of each row of unique elements that are shifted by the same number."""
    if not left:
        return []
    shifts = list(map(sub, partners, left))
    breaks = compress(range(1, len(shifts)), map(ne, shifts, shifts[1:]))
    runs: list[tuple[int, int, int]] = []
    start = 0
    for end in [*breaks, len(shifts)]:
        if end - start >= RUN and partners[start] >= 0:
            runs.append((left[start], partners[start], left[end - 1] + 1 - left[start]))
        start = end
    return runs


def _rising(runs: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """As many of the runs' lines as are in the same order on both sides."""
    if all(one[1] + one[2] <= next_[1] for one, next_ in pairwise(runs)):
        return list(runs)
    weights: list[tuple[int, int]] = []
    of: dict[tuple[int, int], tuple[int, int, int]] = {}
    for run in runs:
        for step in range(0, run[2], RUN):
            weights.append((run[0] + step, run[1] + step))
            of[weights[-1]] = run
    chosen = dict.fromkeys(of[pair] for pair in longest_rise(weights))
    rising: list[tuple[int, int, int]] = []
    for run in chosen:
        if not rising or rising[-1][1] + rising[-1][2] <= run[1]:
            rising.append(run)
    return rising


def longest_rise(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence of ``pairs``, whose firsts ascend, in which the seconds ascend too."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(j)
            last.append(index)
        else:
            ends[length] = j
            last[length] = index
    rise: list[tuple[int, int]] = []
    index = last[-1] if last else -1
    while index >= 0:
        rise.append(pairs[index])
        index = before[index]
    return rise[::-1]
