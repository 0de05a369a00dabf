"""Reasons to ask although no word of one side meets one of the other: the sides may be at odds all the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from collab.merge.three.lines import diff, split
from collab.merge.three.tokens import is_word, tokens, words

RUN: Final = 3
"""Lines in a row, all changed by one side, that it went over as a whole."""


class Texts(NamedTuple):
    """Base, ours and theirs: of a region, or whole."""

    base: str
    ours: str
    theirs: str


def uses_withdrawn(region: Texts, whole: Texts) -> bool:
    """Whether one side put in a word, or two in a row, that the other has nowhere any more, as after a rename."""
    was = words(region.base)
    pairs = _pairs(region.base)
    for side, other, rest in (
        (region.ours, region.theirs, whole.theirs),
        (region.theirs, region.ours, whole.ours),
    ):
        for word, count in words(side).items():
            if count > was[word] and not word[0].isdigit() and not _has(rest, word) and _has(whole.base, word):
                return True
        theirs = _pairs(other)
        for pair, count in _pairs(side).items():
            if count > pairs[pair] > 0 == theirs[pair] and not _has_pair(rest, pair):
                return True
    return False


def at_odds(region: Texts, whole: Texts) -> bool:
    """Whether what one side did to the region as a whole leaves open what becomes of the other side's words."""
    return went_over(region) or follows_changed(region) or lays_out(region) or chases_moved(region, whole)


def repeats(region: Texts, merged: str) -> bool:
    """Whether both sides put the same word into one line, each at another place."""
    was = words(region.base)
    one, other = words(region.ours), words(region.theirs)
    both = {word for word, count in one.items() if count > was[word] and other[word] > was[word]}
    if not both:
        return False
    known: Counter[str] = Counter()
    for line in (*split(region.ours), *split(region.theirs)):
        known |= words(line)
    return any(words(line)[word] > known[word] for line in split(merged) for word in both)


def went_over(region: Texts) -> bool:
    """Whether one side changed every one of some lines in a row, among which the other put new ones.

    What was done to all of them may have to be done to the new ones too.
    """
    base = split(region.base)
    hunks = diff(base, split(region.ours)), diff(base, split(region.theirs))
    for one, other in (hunks, hunks[::-1]):
        lines = {line for i0, i1, j0, j1 in one if j1 > j0 for line in range(i0, i1)}
        for i0, i1, j0, j1 in other:
            if j1 - j0 > i1 - i0 and _run(lines, i0, i1) >= RUN:
                return True
    return False


def follows_changed(region: Texts) -> bool:
    """Whether one side put new lines right below a line in which the other changed words: they may refer to it."""
    base, ours, theirs = map(split, region)
    mine, yours = diff(base, ours), diff(base, theirs)
    for one, other, side in ((mine, yours, theirs), (yours, mine, ours)):
        below = {i0 for i0, i1, _, _ in one if i0 == i1}
        for i0, i1, j0, j1 in other:
            if i1 in below and i0 < i1 and words("".join(base[i0:i1])) != words("".join(side[j0:j1])):
                return True
    return False


def lays_out(region: Texts) -> bool:
    """Whether one side only broke the lines anew while the other changed words: the new words may not fit them."""
    base = _signs(region.base)
    for side, other in ((region.ours, region.theirs), (region.theirs, region.ours)):
        if _signs(side) == base != _signs(other) and _filled(side) != _filled(region.base):
            return True
    return False


def chases_moved(region: Texts, whole: Texts) -> bool:
    """Whether one side changed a line here that the other side has, unchanged, at another place only."""
    base = split(region.base)
    for side, other, rest in (
        (region.ours, region.theirs, whole.theirs),
        (region.theirs, region.ours, whole.ours),
    ):
        kept = Counter(split(other))
        for i0, i1, _, _ in diff(base, split(side)):
            for line in base[i0:i1]:
                if len(words(line)) > 1 and not kept[line] and _lines(rest, line) >= _lines(whole.base, line):
                    return True
    return False


def _run(lines: set[int], start: int, end: int) -> int:
    """How many of ``lines`` stand in a row around the place ``start:end``."""
    low, high = start, end
    while low - 1 in lines:
        low -= 1
    while high in lines:
        high += 1
    return high - low if all(line in lines for line in range(start, end)) else 0


def _signs(text: str) -> list[str]:
    return [token for token in tokens(text) if not token.isspace()]


def _filled(text: str) -> list[str]:
    return [line.strip() for line in split(text) if not line.isspace()]


def _pairs(text: str) -> Counter[tuple[str, str]]:
    found: Sequence[str] = [token for token in tokens(text) if is_word(token)]
    return Counter(pairwise(found))


def _has_pair(text: str, pair: tuple[str, str]) -> bool:
    return re.search(rf"\b{re.escape(pair[0])}\W+{re.escape(pair[1])}\b", text) is not None


def _has(text: str, word: str) -> bool:
    return next(_places(text, word), None) is not None


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (_joins(text[at - 1 : at]) or _joins(text[end : end + 1])):
            yield at
        at = text.find(word, end)


def _lines(text: str, line: str) -> int:
    """How often ``text`` has a whole line."""
    return text.startswith(line) + text.count("\n" + line)


def _joins(sign: str) -> bool:
    return sign.isalnum() or sign == "_"
