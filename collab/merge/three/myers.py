"""Myers' algorithm in linear space: which elements of two sequences of numbers have no partner in the other.

E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986, section 4b.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from collab.merge.three.anchors import Box, longest_rise

LIMIT: Final = 128
"""Edits looked for from each end before a box is cut in another way: the work grows with their square."""


def unmatched(a: Sequence[int], b: Sequence[int], limit: int = LIMIT) -> tuple[list[int], list[int]]:
    """The indices of ``a`` and of ``b``, ascending, that a shortest edit script deletes and inserts.

    It is the shortest wherever ``limit`` edits suffice. Where they do not, elements that both have exactly once
    are matched first, and what is between them is looked at by itself.
    """
    gone: list[int] = []
    new: list[int] = []
    boxes: list[Box] = [(0, len(a), 0, len(b))]
    while boxes:
        a0, a1, b0, b1 = boxes.pop()
        while a0 < a1 and b0 < b1 and a[a0] == b[b0]:
            a0 += 1
            b0 += 1
        while a0 < a1 and b0 < b1 and a[a1 - 1] == b[b1 - 1]:
            a1 -= 1
            b1 -= 1
        if a0 == a1:
            new.extend(range(b0, b1))
        elif b0 == b1:
            gone.extend(range(a0, a1))
        else:
            # The last box is looked at first, so the cuts go on in reverse: the indices come out ascending.
            boxes.extend(reversed(_cut(a, b, (a0, a1, b0, b1), limit)))
    return gone, new


def _cut(a: Sequence[int], b: Sequence[int], box: Box, limit: int) -> list[Box]:
    middle, found = _middle(a, b, box, limit)
    a0, a1, b0, b1 = box
    if not found and (anchors := _anchors(a, b, box)):
        return _between(anchors, box)
    i, j = middle
    return [(a0, i, b0, j), (i, a1, j, b1)]


def _between(anchors: Sequence[tuple[int, int]], box: Box) -> list[Box]:
    a0, a1, b0, b1 = box
    cuts: list[Box] = []
    for i, j in anchors:
        if i > a0 or j > b0:
            cuts.append((a0, i, b0, j))
        a0, b0 = i + 1, j + 1
    cuts.append((a0, a1, b0, b1))
    return cuts


def _middle(a: Sequence[int], b: Sequence[int], box: Box, limit: int) -> tuple[tuple[int, int], bool]:
    """A point on a shortest way through ``box``, found from both ends, and whether it is on one for sure."""
    a0, a1, b0, b1 = box
    low, high = a0 - b1, a1 - b0
    start, end = a0 - b0, a1 - b1
    odd = (start - end) & 1
    # By diagonal i - j: how far along `a` the ways from the start, and from the end, have come.
    far = -1
    near = a1 + b1 + 1
    forward = {start: a0, start - 1: far, start + 1: far}
    backward = {end: a1, end - 1: near, end + 1: near}
    fmin = fmax = start
    bmin = bmax = end
    for _ in range(limit):
        if fmin > low:
            fmin -= 1
            forward[fmin - 1] = far
        else:
            fmin += 1
        if fmax < high:
            fmax += 1
            forward[fmax + 1] = far
        else:
            fmax -= 1
        for k in range(fmax, fmin - 1, -2):
            down, right = forward[k + 1], forward[k - 1] + 1
            i = right if right > down else down  # noqa: FURB136 - a call in the innermost loop
            j = i - k
            while i < a1 and j < b1 and a[i] == b[j]:
                i += 1
                j += 1
            forward[k] = i
            if odd and bmin <= k <= bmax and backward[k] <= i:
                return (i, j), True
        if bmin > low:
            bmin -= 1
            backward[bmin - 1] = near
        else:
            bmin += 1
        if bmax < high:
            bmax += 1
            backward[bmax + 1] = near
        else:
            bmax -= 1
        for k in range(bmax, bmin - 1, -2):
            up, left = backward[k - 1], backward[k + 1] - 1
            i = up if up <= left else left  # noqa: FURB136
            j = i - k
            while i > a0 and j > b0 and a[i - 1] == b[j - 1]:
                i -= 1
                j -= 1
            backward[k] = i
            if not odd and fmin <= k <= fmax and i <= forward[k]:
                return (i, j), True
    best = max((min(i, a1, b1 + k) * 2 - k, k) for k, i in forward.items() if fmin <= k <= fmax)
    i = (best[0] + best[1]) // 2
    return (i, i - best[1]), False


def _anchors(a: Sequence[int], b: Sequence[int], box: Box) -> list[tuple[int, int]]:
    """Pairs of elements that each side of ``box`` has exactly once, as many as are in the same order in both."""
    a0, a1, b0, b1 = box
    in_a, in_b = Counter(a[a0:a1]), Counter(b[b0:b1])
    places = {element: j for j, element in enumerate(b[b0:b1], b0) if in_b[element] == 1}
    return longest_rise(
        [
            (i, places[element])
            for i, element in enumerate(a[a0:a1], a0)
            if in_a[element] == 1 and element in places
        ]
    )
