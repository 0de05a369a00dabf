"""Finds the lines that a hunk means where the model did not write them as they are, and fits its text to them.

White space is passed over first, then quotes and dashes of another kind, then whole words, if one place is clearly
the most similar. What the model changed is then merged into the lines as they are, so that nothing is lost that it
remembered wrongly; where both differ in the same words, there is no certain result.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Final

from collab.merge.three.merge import merge
from generation.indents import indent, mapped
from generation.locate import NoPlace, lines_of, newline_of

MOST_WANTED: Final = 400
"""Lines to look for; more are only looked for as they are."""
MOST_CHARS: Final = 12_000
MOST_LINES: Final = 10_000
CERTAIN: Final = 0.85
"""How similar a place must be, from 0 to 1, of several lines; one or two lines must be more so."""
CERTAIN_FEW: Final = 0.9
LEAD: Final = 0.1
"""By so much the next similar place must be worse."""
WORDS: Final = 0.8
"""So much of the words looked for must stand in the place."""
_EDGE: Final = 0.6
_MOST_TRIED: Final = 120
"""Places that are compared at all."""
_MOST_COMPARED: Final = 2_000
"""Characters that are compared one by one; longer pieces count as different."""

_WORD: Final = re.compile(r"\w+")
_DEFINES: Final = re.compile(
    r"\b(?:def|class|function|func|fn|struct|interface|type|enum|trait|impl|module|package)\s+(\w+)"
)
_SIGNS: Final = str.maketrans(
    {
        **dict.fromkeys("\u201c\u201d\u201e", '"'),
        **dict.fromkeys("\u2018\u2019", "'"),
        **dict.fromkeys("\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u200b\ufeff", ""),
        "\u2026": "...",
    }
)


@dataclass(frozen=True, slots=True)
class Near:
    """Whole lines of the base that are not quite those looked for: code points from ``start`` to ``end``.

    ``how`` says in words what differs.
    """

    start: int
    end: int
    newline: str
    ended: bool
    how: str


def near(base: str, search: str) -> Near | NoPlace:
    """The one place in ``base`` that ``search`` can mean, if it does not stand there as it is."""
    lines = lines_of(base)
    wanted = [line for line in search.split("\n") if line.strip()]
    if not wanted or len(wanted) > MOST_WANTED or len(lines) > MOST_LINES:
        return NoPlace("The lines that it replaces are not in the file.")
    at = [index for index, line in enumerate(lines) if line.strip()]
    for key, how in ((_spaced, "white space"), (_plain, "signs")):
        keys = [key(line) for line in wanted]
        there = [key(lines[index]) for index in at]
        found = [
            i
            for i in range(len(there) - len(keys) + 1)
            if there[i] == keys[0] and there[i : i + len(keys)] == keys
        ]
        if len(found) > 1:
            return NoPlace(f"The lines that it replaces are in the file {len(found)} times, apart from {how}.")
        if found:
            return _place(lines, at, found[0], found[0] + len(keys), search, how)
    return _similar(lines, at, wanted, search)


def fitted(region: str, search: str, replacement: str) -> str | None:
    """``replacement`` for ``search``, for the lines ``region`` that stand for it; None if that is not certain.

    All three have lines that end with a newline.
    """
    pairs = _pairs(region, search)
    change: Callable[[str], str] | None = mapped(pairs)
    if change is None:
        return None
    base, theirs = _each(search, change), _each(replacement, change)
    merged = merge(base, region, theirs)
    if merged.clean:
        return merged.text
    # Where only white space differs, what is looked for can be taken to be what stands there.
    if [_spaced(line) for line in base.split("\n") if line.strip()] != [
        _spaced(line) for line in region.split("\n") if line.strip()
    ]:
        return None
    own = {(indent(line), _spaced(line)): line for line in region.split("\n")}
    return "\n".join(own.get((indent(line), _spaced(line)), line) for line in theirs.split("\n"))


def widened(base: str, place: Near, search: str, replacement: str) -> tuple[Near, str]:
    """The place and what it was found by, with the blank lines around it that only the replacement says.

    Who leaves blank lines out of what to look for means them to stand once all the same.
    """
    before = _blank(replacement.split("\n")) - _blank(search.split("\n"))
    after = _blank(reversed(replacement.removesuffix("\n").split("\n")))
    after -= _blank(reversed(search.removesuffix("\n").split("\n")))
    start, end = place.start, place.end
    for line in reversed(lines_of(base[:start])[-before:] if before > 0 else []):
        if line.strip():
            break
        start -= len(line)
        search = "\n" + search
    for line in lines_of(base[end:])[:after] if after > 0 and place.ended else []:
        if line.strip():
            break
        end += len(line)
        search += "\n"
    return replace(place, start=start, end=end), search


def _blank(lines: Iterable[str]) -> int:
    """How many lines are blank before the first that is not."""
    return sum(1 for _ in takewhile(lambda line: not line.strip(), lines))


def _pairs(region: str, search: str) -> list[tuple[str, str]]:
    """Lines of ``search`` and the same ones of ``region``."""
    one = [line for line in search.split("\n") if line.strip()]
    other = [line for line in region.split("\n") if line.strip()]
    matcher = SequenceMatcher(
        None, [_plain(line) for line in one], [_plain(line) for line in other], autojunk=False
    )
    return [
        (one[block.a + i], other[block.b + i])
        for block in matcher.get_matching_blocks()
        for i in range(block.size)
    ]


def _each(text: str, change: Callable[[str], str]) -> str:
    return "".join(change(line) for line in text.splitlines(keepends=True))


def _place(lines: Sequence[str], at: Sequence[int], first: int, last: int, search: str, how: str) -> Near:
    """The lines ``first`` to before ``last`` of those not blank, and blank ones around them as wanted."""
    begin, end = at[first], at[last - 1] + 1
    wanted = search.removesuffix("\n").split("\n")
    for line in wanted:
        if line.strip() or begin == 0 or lines[begin - 1].strip():
            break
        begin -= 1
    for line in reversed(wanted):
        if line.strip() or end == len(lines) or lines[end].strip():
            break
        end += 1
    start = sum(map(len, lines[:begin]))
    text = "".join(lines[begin:end])
    return Near(start, start + len(text), newline_of(text), text.endswith("\n"), how)


def _similar(lines: Sequence[str], at: Sequence[int], wanted: Sequence[str], search: str) -> Near | NoPlace:
    missing = NoPlace("The lines that it replaces are not in the file.")
    keys = [_plain(line) for line in wanted]
    there = [_plain(lines[index]) for index in at]
    if sum(map(len, keys)) > MOST_CHARS or (len(keys) == 1 and len(keys[0]) < 24):
        return missing
    scored = []
    for first, last in _windows(there, keys):
        score = _likeness(keys, there[first:last])
        if score >= CERTAIN - LEAD:
            scored.append((score, first, last))
    if not scored:
        return missing
    scored.sort(key=lambda one: (-one[0], one[2] - one[1], one[1]))
    best, first, last = scored[0]
    if best < (CERTAIN if len(keys) > 2 else CERTAIN_FEW) or not _same_names(keys, there[first:last]):
        return missing
    for score, begin, end in scored[1:]:
        if score > best - LEAD and min(end, last) - max(begin, first) < (last - first) / 2:
            return NoPlace("The lines that it replaces are not in the file as they are, and several are similar.")
    return _place(lines, at, first, last, search, "some words")


def _windows(there: Sequence[str], keys: Sequence[str]) -> list[tuple[int, int]]:
    """Where to compare: around lines that are the same, or where there are none, everywhere."""
    index: dict[str, list[int]] = {}
    for place, line in enumerate(there):
        index.setdefault(line, []).append(place)
    votes: Counter[int] = Counter()
    for offset, key in enumerate(keys):
        some = index.get(key, ())
        if len(some) <= 50:
            votes.update(place - offset for place in some)
    if votes:
        starts = {start + shift for start, _ in votes.most_common(_MOST_TRIED // 12) for shift in (-1, 0, 1)}
    elif len(keys) <= 6 and len(there) <= 4_000:
        words = set(_WORD.findall(" ".join(keys)))
        close = [
            (len(words & set(_WORD.findall(" ".join(there[start : start + len(keys)])))), start)
            for start in range(max(1, len(there) - len(keys) + 1))
        ]
        starts = {start for _, start in sorted(close, reverse=True)[: _MOST_TRIED // 4]}
    else:
        return []
    sizes = {max(1, len(keys) + more) for more in (-1, 0, 1, 2)}
    windows = {
        (start, start + size) for start in starts for size in sizes if start >= 0 and start + size <= len(there)
    }
    return sorted(windows)


def _likeness(keys: Sequence[str], window: Sequence[str]) -> float:
    """From 0 to 1; 0 where the first or the last lines differ much, as the place would not be certain."""
    for one, other in ((keys[0], window[0]), (keys[-1], window[-1])):
        if one != other and SequenceMatcher(None, one, other, autojunk=False).ratio() < _EDGE:
            return 0.0
    alike = 0.0
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, keys, window, autojunk=False).get_opcodes():
        size = sum(map(len, keys[a0:a1])) + sum(map(len, window[b0:b1])) + (a1 - a0) + (b1 - b0)
        if tag == "equal":
            alike += size
        elif tag == "replace" and size <= _MOST_COMPARED:
            alike += size * SequenceMatcher(None, "\n".join(keys[a0:a1]), "\n".join(window[b0:b1]), False).ratio()
    total = sum(map(len, keys)) + sum(map(len, window)) + len(keys) + len(window)
    return alike / total


def _same_names(keys: Sequence[str], window: Sequence[str]) -> bool:
    """Whether the place speaks of the same things: definitions have the same names, and so has nearly all else."""
    wanted, there = "\n".join(keys), "\n".join(window)
    if Counter(_DEFINES.findall(wanted)) != Counter(_DEFINES.findall(there)):
        return False
    words = set(_WORD.findall(wanted))
    lost = words - set(_WORD.findall(there))
    return len(lost) <= max(1, min(3, round(len(words) * (1 - WORDS))))


def _spaced(line: str) -> str:
    return " ".join(line.split())


def _plain(line: str) -> str:
    if line.isascii():
        return " ".join(line.split())
    return " ".join(unicodedata.normalize("NFKC", line.translate(_SIGNS)).split())
