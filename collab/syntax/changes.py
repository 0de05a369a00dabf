"""What became of the symbols of a text: renamed, removed, moved, added."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from collab.syntax.symbol import Symbol
from collab.syntax.symbols import WORD, digest

ALIKE: Final = 0.75
"""How much of their words two definitions share, of one kind and in one parent, to be one that was renamed."""
ALIKE_IN_PLACE: Final = 0.5
"""The same for two that stand between the same neighbours."""
MOST_COMPARED: Final = 4_096
"""Pairs of symbols that are compared at most; beyond that only equal bodies count."""


@dataclass(frozen=True, slots=True)
class SymbolChanges:
    """What became of the symbols of a text, all by qualified name."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    """Old name to new name, in the same parent."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Old name to new name, of what has another parent now and kept its own name and body."""
    reordered: frozenset[str] = frozenset()
    """Kept its name and parent, and stands at another place among its siblings."""
    removed: frozenset[str] = frozenset()
    """Gone for good."""
    added: frozenset[str] = frozenset()
    """New."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A text and what it was before."""

    changes: SymbolChanges
    symbols: tuple[Symbol, ...]
    """Those of the text before that may have changed, with their places in it."""
    worse: bool
    """Whether more places cannot be read now."""


def compare(base: Sequence[Symbol], live: Sequence[Symbol], was: str, now: str) -> SymbolChanges:
    """What became of the symbols ``base`` of the text ``was``, seen from the symbols ``live`` of ``now``.

    What is inside a renamed symbol is not counted as renamed, moved or removed with it.
    """
    before, after = _by_name(base), _by_name(live)
    gone = [one for name, one in before.items() if name not in after]
    new = [one for name, one in after.items() if name not in before]
    words = {one.qualified: _words(was, one) for one in gone}, {one.qualified: _words(now, one) for one in new}
    digests = (
        {one.qualified: digest(was, one) for one in gone},
        {one.qualified: digest(now, one) for one in new},
    )
    renamed: dict[str, str] = {}
    moved: dict[str, str] = {}
    # Outer symbols come first, so that a renamed class takes its methods along.
    depth = max((one.qualified.count(".") for one in [*gone, *new]), default=-1)
    for level in range(depth + 1):
        candidates = [one for one in gone if one.qualified.count(".") == level]
        for old, other in _pairs(candidates, new, renamed, before, after, words, digests):
            if old.name != other.name:
                renamed[old.qualified] = other.qualified
    followed = {one.qualified: _renamed_parent(one.qualified, renamed) for one in gone}
    carried = {name for name, now in followed.items() if name not in renamed and now in after}
    taken = set(renamed.values()) | {followed[name] for name in carried}
    left = [one for one in gone if one.qualified not in renamed and one.qualified not in carried]
    free = [one for one in new if one.qualified not in taken]
    for one in left:
        same = [
            other
            for other in free
            if (other.kind, other.name, digests[1][other.qualified])
            == (one.kind, one.name, digests[0][one.qualified])
        ]
        same = same or [
            other
            for other in free
            if _is_function(other, one)
            and other.name == one.name
            and digests[1][other.qualified] == digests[0][one.qualified]
        ]
        if len(same) == 1:
            moved[one.qualified] = same[0].qualified
            free.remove(same[0])
    return SymbolChanges(
        renamed,
        moved,
        frozenset(_reordered(before, after)),
        frozenset(one.qualified for one in left if one.qualified not in moved),
        frozenset(one.qualified for one in free),
    )


def _by_name(symbols: Iterable[Symbol]) -> dict[str, Symbol]:
    found: dict[str, Symbol] = {}
    for one in symbols:
        found.setdefault(one.qualified, one)
    return found


def _is_function(one: Symbol, other: Symbol) -> bool:
    return {one.kind, other.kind} <= {"function", "method"}


def _pairs(
    gone: Sequence[Symbol],
    new: Sequence[Symbol],
    renamed: Mapping[str, str],
    before: Mapping[str, Symbol],
    after: Mapping[str, Symbol],
    words: tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]],
    digests: tuple[Mapping[str, bytes], Mapping[str, bytes]],
) -> list[tuple[Symbol, Symbol]]:
    """Pairs of one that is gone and one that is new and is the same thing; the surest pairs first."""
    places: dict[tuple[str, str], list[Symbol]] = defaultdict(list)
    for one in new:
        places[one.kind, one.parent].append(one)
    groups = [(one, places.get((one.kind, _renamed_parent(one.parent, renamed, whole=True)), [])) for one in gone]
    few = sum(len(others) for _, others in groups) <= MOST_COMPARED
    neighbours, since = (_neighbours(before), _neighbours(after)) if few else ({}, {})
    scored: list[tuple[float, int, int, Symbol, Symbol]] = []
    for one, others in groups:
        for other in others:
            score = (
                2.0
                if digests[0][one.qualified] == digests[1][other.qualified]
                else _alike(words[0][one.qualified], words[1][other.qualified])
                if few
                else 0.0
            )
            in_place = few and neighbours[one.qualified] == since[other.qualified]
            if score >= (ALIKE_IN_PLACE if in_place else ALIKE):
                scored.append((-score - in_place / 2, one.start, other.start, one, other))
    scored.sort(key=lambda entry: entry[:3])
    pairs: list[tuple[Symbol, Symbol]] = []
    used: set[str] = set()
    for *_, one, other in scored:
        if one.qualified not in used and "\0" + other.qualified not in used:
            used |= {one.qualified, "\0" + other.qualified}
            pairs.append((one, other))
    return pairs


def _words(text: str, symbol: Symbol) -> frozenset[str]:
    """The distinct words of a definition without its own name."""
    return frozenset(WORD.findall(text, symbol.start, symbol.end)) - {symbol.name}


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total >= 6 else 0.0


def _renamed_parent(name: str, renamed: Mapping[str, str], *, whole: bool = False) -> str:
    """``name`` with the longest of its parents that was renamed called by its new name."""
    head = name if whole else name.rpartition(".")[0]
    while head:
        if head in renamed:
            return renamed[head] + name[len(head) :]
        head = head.rpartition(".")[0]
    return name


def _neighbours(symbols: Mapping[str, Symbol]) -> dict[str, tuple[str, str]]:
    """For each symbol the names of the siblings before and after it."""
    found: dict[str, tuple[str, str]] = {}
    for siblings in _families(symbols).values():
        names = ["", *(one.name for one in siblings), ""]
        for place, one in enumerate(siblings, 1):
            found[one.qualified] = names[place - 1], names[place + 1]
    return found


def _families(symbols: Mapping[str, Symbol]) -> dict[str, list[Symbol]]:
    families: dict[str, list[Symbol]] = defaultdict(list)
    for one in symbols.values():
        families[one.parent].append(one)
    return families


def _reordered(before: Mapping[str, Symbol], after: Mapping[str, Symbol]) -> list[str]:
    """The fewest symbols that, taken out, leave their siblings in the old order."""
    moved: list[str] = []
    families = _families(after)
    for parent, siblings in _families(before).items():
        rank = {one.qualified: place for place, one in enumerate(families.get(parent, ()))}
        common = [one.qualified for one in siblings if one.qualified in rank]
        kept = _longest_rising([rank[name] for name in common])
        moved += [name for place, name in enumerate(common) if place not in kept]
    return moved


def _longest_rising(ranks: Sequence[int]) -> set[int]:
    """The places of a longest rising run within ``ranks``."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for place, rank in enumerate(ranks):
        at = bisect_left(tails, rank)
        tails[at : at + 1] = [rank]
        ends[at : at + 1] = [place]
        previous.append(ends[at - 1] if at else -1)
    kept: set[int] = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        kept.add(place)
        place = previous[place]
    return kept
