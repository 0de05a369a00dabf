"""The three-way merge of three sequences of keys, in which some have no fixed place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")


@dataclass(frozen=True)
class Doubts(Generic[K]):
    """What makes a merge of sequences uncertain, asked of keys."""

    fixed: Callable[[K], bool]
    """Whether the place of a key among the others matters."""
    kind: Callable[[K], str]
    """Keys of one kind alone may be put at one place by both sides."""
    replaced: Callable[[K], bool]
    """Whether what is put where a key was may be a new version of it."""


def merged_order(base: Sequence[K], ours: Sequence[K], theirs: Sequence[K], doubts: Doubts[K]) -> list[K] | None:
    """The keys that both sides together leave, in order: where both added some, ours come first, then theirs.

    Each sequence has a key once. A key of the base that one side lacks is left out. None when the merge is not
    certain: both sides changed one place and something there is fixed or of different kinds; both took the same
    key away and one put others there; or both changed the order of what was there.
    """
    kept = _kept_order(base, ours, theirs)
    if kept is None:
        return None
    stay, in_ours, in_theirs, in_base = set(kept), set(ours), set(theirs), set(base)
    one, other = _by_anchor(ours, stay, in_base), _by_anchor(theirs, stay, in_base)
    gone = _by_anchor(base, stay, set())
    merged: list[K] = []
    placed: set[K] = set()
    for anchor in [None, *kept]:
        if anchor is not None:
            merged.append(anchor)
        first = [key for key in one.get(anchor, []) if key not in placed]
        second = [
            key for key in other.get(anchor, []) if key not in placed and (key not in in_ours or key in first)
        ]
        mine, yours = [k for k in first if k not in in_theirs], [k for k in second if k not in in_ours]
        if _doubtful(mine, yours, gone.get(anchor, []), in_ours, in_theirs, doubts):
            return None
        woven = _woven(first, second)
        placed.update(woven)
        merged += woven
    return merged


def _doubtful(
    mine: Sequence[K], yours: Sequence[K], gone: Sequence[K], ours: set[K], theirs: set[K], doubts: Doubts[K]
) -> bool:
    """Whether both sides changed one place in a way that leaves open what they meant together."""
    from_both = [key for key in gone if key not in ours and key not in theirs]
    if from_both and ((mine and yours) or ((mine or yours) and any(map(doubts.replaced, from_both)))):
        return True
    changed = [[*mine, *(k for k in gone if k in theirs)], [*yours, *(k for k in gone if k in ours)]]
    if all(changed) and any(doubts.fixed(key) for key in [*changed[0], *changed[1]]):
        return True
    return bool(mine and yours) and len({doubts.kind(key) for key in [*mine, *yours]}) > 1


def _kept_order(base: Sequence[K], ours: Sequence[K], theirs: Sequence[K]) -> list[K] | None:
    both = set(ours) & set(theirs) & set(base)
    was, one, other = ([key for key in keys if key in both] for keys in (base, ours, theirs))
    if one in (was, other):
        return other
    return one if other == was else None


def _by_anchor(keys: Sequence[K], kept: set[K], known: set[K]) -> dict[K | None, list[K]]:
    """The keys that are neither kept nor ``known``, under the kept key that they come after (None: before all)."""
    found: dict[K | None, list[K]] = {}
    anchor: K | None = None
    for key in keys:
        if key in kept:
            anchor = key
        elif key not in known:
            found.setdefault(anchor, []).append(key)
    return found


def _woven(first: Sequence[K], second: Sequence[K]) -> list[K]:
    """Both runs, around the keys that they have in common; before each of those first's own, then second's own."""
    common = [key for key in first if key in set(second)]
    if [key for key in second if key in set(common)] != common:
        return [*first, *(key for key in second if key not in set(first))]
    woven: list[K] = []
    at = to = 0
    for key in common:
        woven += [*first[at : first.index(key)], *second[to : second.index(key)], key]
        at, to = first.index(key) + 1, second.index(key) + 1
    return [*woven, *first[at:], *second[to:]]
