"""Fast matching of lines, or of any other hashable pieces, of two texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collab.merge.three.anchors import Box, between_runs
from collab.merge.three.myers import unmatched

Hunk = tuple[int, int, int, int]
"""Elements ``i0:i1`` of one sequence stand where ``j0:j1`` stand in the other."""

LARGE: Final = 1_000
"""Lines of both sides together from which on they are cut at what is beyond doubt before the search."""

WINDOW: Final = 100
"""How far before and behind a frequent line is looked whether it stands among lines without partner."""


def split(text: str) -> list[str]:
    """``text`` in lines, each with its line feed; only the last may lack it."""
    lines = text.split("\n")
    last = lines.pop()
    split = [line + "\n" for line in lines]
    if last:
        split.append(last)
    return split


def diff(a: Sequence[str], b: Sequence[str]) -> list[Hunk]:
    """What to replace in ``a`` to get ``b``: ascending hunks that neither touch nor overlap.

    Equal ends are left out first, then elements that the other side does not have, so that the search is left
    with what is hard. The result is a pure function of both, and the same for every run of Python.
    """
    first = 0
    shorter = min(len(a), len(b))
    while first < shorter and a[first] == b[first]:
        first += 1
    tail = 0
    while tail < shorter - first and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    if first + tail == len(a) or first + tail == len(b):
        gone = [_Run(first, first, len(a) - tail)] if first + tail < len(a) else []
        new = [_Run(first, first, len(b) - tail)] if first + tail < len(b) else []
    else:
        gone, new = _changed(a, b, (first, len(a) - tail, first, len(b) - tail))
    gone = _slide(a, gone, new)
    new = _slide(b, new, gone)
    return _hunks(gone, new)


@dataclass(slots=True)
class _Run:
    """Elements ``start:end`` of one side that have no partner; ``kept`` elements before them have one."""

    kept: int
    start: int
    end: int


def _changed(a: Sequence[str], b: Sequence[str], box: Box) -> tuple[list[_Run], list[_Run]]:
    in_a, in_b = Counter(a), Counter(b)
    boxes = [box] if len(a) + len(b) < LARGE else between_runs(a, b, in_a, in_b, box)
    gone: list[int] = []
    new: list[int] = []
    for i0, i1, j0, j1 in boxes:
        left = _worth_matching(a, i0, i1, in_b)
        right = _worth_matching(b, j0, j1, in_a)
        numbers: dict[str, int] = {}
        one = [numbers.setdefault(a[i], len(numbers)) for i in left]
        other = [numbers.setdefault(b[j], len(numbers)) for j in right]
        lone, strange = unmatched(one, other)
        gone += _without(i0, i1, left, lone)
        new += _without(j0, j1, right, strange)
    return _runs(gone), _runs(new)


def _without(start: int, end: int, candidates: list[int], lone: Sequence[int]) -> list[int]:
    """``start:end`` but those of the candidates that found a partner; ``lone`` says which of them did not."""
    if len(lone) == len(candidates):
        return list(range(start, end))
    for index in reversed(lone):
        del candidates[index]
    partners = set(candidates)
    return [index for index in range(start, end) if index not in partners]


def _worth_matching(lines: Sequence[str], start: int, end: int, elsewhere: Counter[str]) -> list[int]:
    """The indices of lines that the other side has too, without frequent ones in the midst of lines that it lacks.

    Such a line (an empty one, a brace) is likely to find a partner that means something else.
    """
    frequent = _root(len(lines))
    counts = [elsewhere[line] for line in lines[start:end]]
    if max(counts, default=0) < frequent:
        return [index for index, count in enumerate(counts, start) if count]
    return [
        index
        for index, count in enumerate(counts, start)
        if count and not (count >= frequent and _astray(counts, index - start, frequent))
    ]


def _astray(counts: Sequence[int], at: int, frequent: int) -> bool:
    lacking = 0
    often = 2
    for step in (-1, 1):
        around = 0
        index = at + step
        while 0 <= index < len(counts) and abs(index - at) <= WINDOW:
            if counts[index] == 0:
                around += 1
            elif counts[index] >= frequent:
                often += 1
            else:
                break
            index += step
        if not around:
            return False
        lacking += around
    return often * 4 < often + lacking


def _root(length: int) -> int:
    """About the square root of ``length``, as a power of two, at most 1,024."""
    return min(1 << (length.bit_length() + 1) // 2, 1024)


def _runs(changed: Sequence[int]) -> list[_Run]:
    runs: list[_Run] = []
    for before, index in enumerate(changed):
        if runs and runs[-1].end == index:
            runs[-1].end += 1
        else:
            runs.append(_Run(index - before, index, index + 1))
    return runs


def _slide(lines: Sequence[str], runs: list[_Run], others: Sequence[_Run]) -> list[_Run]:
    """Moves each run that may as well stand elsewhere: to a run of the other side, else as far down as it goes.

    A run may move by a line when the line that it leaves equals the one that it takes. Runs that meet are one.
    """
    there = {run.kept for run in others}
    count = len(lines)
    done: list[_Run] = []
    following = 0
    while following < len(runs):
        run = runs[following]
        kept, start, end = run.kept, run.start, run.end
        following += 1
        size = -1
        highest = end
        meeting = False
        while size != end - start:
            size = end - start
            while start > 0 and lines[start - 1] == lines[end - 1]:
                start -= 1
                end -= 1
                kept -= 1
                while done and done[-1].end == start:
                    start = done.pop().start
            highest = end
            meeting = kept in there
            last_meeting = kept
            while end < count and lines[start] == lines[end]:
                start += 1
                end += 1
                kept += 1
                while following < len(runs) and runs[following].start == end:
                    end = runs[following].end
                    following += 1
                if kept in there:
                    meeting, last_meeting = True, kept
            if size == end - start and meeting and end != highest:
                start -= kept - last_meeting
                end -= kept - last_meeting
                kept = last_meeting
        done.append(_Run(kept, start, end))
    return done


def _hunks(gone: Sequence[_Run], new: Sequence[_Run]) -> list[Hunk]:
    hunks: list[Hunk] = []
    deleted = inserted = 0
    i = j = 0
    while i < len(gone) or j < len(new):
        kept = min(gone[i].kept if i < len(gone) else new[j].kept, new[j].kept if j < len(new) else gone[i].kept)
        i0 = i1 = kept + deleted
        j0 = j1 = kept + inserted
        if i < len(gone) and gone[i].kept == kept:
            i1 = gone[i].end
            deleted += i1 - i0
            i += 1
        if j < len(new) and new[j].kept == kept:
            j1 = new[j].end
            inserted += j1 - j0
            j += 1
        hunks.append((i0, i1, j0, j1))
    return hunks
