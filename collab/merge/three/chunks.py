"""Two sides' changes of one base, brought together: which stand alone, and which meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from collab.merge.three.lines import Hunk

Who = Literal["same", "ours", "theirs", "both"]


class Chunk(NamedTuple):
    """Elements ``b0:b1`` of the base, with what ours and theirs have there, and who changed them."""

    who: Who
    b0: int
    b1: int
    o0: int
    o1: int
    t0: int
    t1: int


def chunks(ours: Sequence[Hunk], theirs: Sequence[Hunk], length: int) -> list[Chunk]:
    """Covers a base of ``length`` elements, from each side's hunks against it.

    Changes that overlap or touch are one chunk of both: nothing between them shows in which order they belong.
    """
    found: list[Chunk] = []
    base = o_shift = t_shift = 0
    i = j = 0
    while i < len(ours) or j < len(theirs):
        if j == len(theirs) or (i < len(ours) and ours[i][:2] <= theirs[j][:2]):
            start, end = ours[i][:2]
        else:
            start, end = theirs[j][:2]
        first_i, first_j = i, j
        grown = True
        while grown:
            grown = False
            while i < len(ours) and ours[i][0] <= end:
                end = max(end, ours[i][1])
                i += 1
                grown = True
            while j < len(theirs) and theirs[j][0] <= end:
                end = max(end, theirs[j][1])
                j += 1
                grown = True
        if start > base:
            found.append(
                Chunk("same", base, start, base + o_shift, start + o_shift, base + t_shift, start + t_shift)
            )
        o0, t0 = start + o_shift, start + t_shift
        o_shift += sum(h[3] - h[2] - h[1] + h[0] for h in ours[first_i:i])
        t_shift += sum(h[3] - h[2] - h[1] + h[0] for h in theirs[first_j:j])
        who: Who = "both" if i > first_i and j > first_j else "ours" if i > first_i else "theirs"
        found.append(Chunk(who, start, end, o0, end + o_shift, t0, end + t_shift))
        base = end
    if base < length:
        found.append(
            Chunk("same", base, length, base + o_shift, length + o_shift, base + t_shift, length + t_shift)
        )
    return found
