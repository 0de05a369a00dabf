"""The few changes that turn one text into another, so that a whole-file write touches only what differs.

Everything that stays keeps its identity in the CRDT: cursors in it stay, concurrent edits of it merge.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

Splice = tuple[int, int, str]
"""Replaces the code points from the first to the second offset of the text before."""

MAX_PAIRS: Final = 100_000
"""Pairs of equal pieces that one comparison may look at; beyond it, the block is replaced as a whole."""
MAX_PIECES: Final = 100_000
"""Pieces that one comparison may look at."""
_POPULAR_FROM: Final = 200

_TOKEN: Final = re.compile(r"\w+|\s+|[^\w\s]")


def splices(before: str, after: str, *, coarse: bool = False) -> list[Splice]:
    """The changes from ``before`` to ``after``, in order, none overlapping another.

    By lines, then inside changed lines by words, then without the ends that a word keeps. The time is
    bounded (a few seconds for 2 MB at worst); where it would not be, changes are coarser. With ``coarse``
    all between the first and the last difference is one change, found in milliseconds.
    """
    if before == after:
        return []
    old_lines, new_lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found = []
    for start, end, insert in _blocks(old_lines, new_lines, coarse=coarse):
        old, new = before[start:end], insert
        if not old or not new:
            found.append((start, end, new))
            continue
        for inner_start, inner_end, piece in _blocks(_TOKEN.findall(old), _TOKEN.findall(new), coarse=coarse):
            found.append(_trimmed(start + inner_start, old[inner_start:inner_end], piece))
    return found


def _blocks(before: Sequence[str], after: Sequence[str], *, coarse: bool) -> Iterator[Splice]:
    """What differs between two sequences of pieces, in code points."""
    head = 0
    shorter = min(len(before), len(after))
    while head < shorter and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < shorter - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    offset = sum(map(len, before[:head]))
    if not old and not new:
        return
    if coarse or max(len(old), len(new)) > MAX_PIECES or _pairs(old, new) > MAX_PAIRS:
        yield offset, offset + sum(map(len, old)), "".join(new)
        return
    position = 0
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new).get_opcodes():
        length = sum(map(len, old[i1:i2]))
        if tag != "equal":
            yield offset + position, offset + position + length, "".join(new[j1:j2])
        position += length


def _pairs(before: Sequence[str], after: Sequence[str]) -> int:
    """Equal pairs that SequenceMatcher will look at; it leaves out pieces that are popular in ``after``."""
    counts = Counter(after)
    if len(after) >= _POPULAR_FROM:
        most = len(after) // 100 + 1
        counts = Counter({piece: count for piece, count in counts.items() if count <= most})
    return sum(count * counts[piece] for piece, count in Counter(before).items())


def _trimmed(start: int, old: str, new: str) -> Splice:
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return start + head, start + len(old) - tail, new[head : len(new) - tail]
