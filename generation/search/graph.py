"""Which files matter, by who refers to whom: a file that uses a name points to those that define it.

The rank is PageRank (Brin, Page: The Anatomy of a Large-Scale Hypertextual Web Search Engine, 1998), personalised
by where somebody is at work: it starts anew from those files instead of from all.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_DEFINERS: Final = 6
"""A name that more files define tells nothing of any of them."""
STEP: Final = 20_000
"""Uses that are looked up in one step; about three milliseconds' work."""
_GOES_ON: Final = 0.85
_ROUNDS: Final = 12
_EDGES: Final = 2_000_000


@dataclass(slots=True)
class Edges:
    """Who refers to whom, by slots, with the weight of it: the weights from one file come to 1.

    Edges are in the order of their targets: those from ``starts[n]`` on lead to ``targets[n]``.
    """

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    starts: NDArray[np.int64]
    weights: NDArray[np.float64]
    slots: int

    @staticmethod
    def of(
        sources: NDArray[np.int64], targets: NDArray[np.int64], weights: NDArray[np.float64], slots: int
    ) -> Edges:
        """From one source, target and weight for each edge, in any order."""
        order = np.argsort(targets, kind="stable")
        heads, starts = np.unique(targets[order], return_index=True)
        return Edges(sources[order], heads, starts, weights[order], slots)

    def rank(self, alive: NDArray[np.float64], near: Mapping[int, float] | None = None) -> NDArray[np.float64]:
        """The rank of each slot; all together 1. ``near`` weighs the slots that somebody is at work in."""
        start = np.zeros(self.slots)
        for slot, weight in (near or {}).items():
            if slot < self.slots:
                start[slot] += weight
        start *= alive
        if not start.sum():
            start = alive.copy()
        if not start.sum():
            return start
        start /= start.sum()
        rank = start.copy()
        for _ in range(_ROUNDS if len(self.starts) else 0):
            carried = np.zeros(self.slots)
            carried[self.targets] = _GOES_ON * np.add.reduceat(self.weights * rank[self.sources], self.starts)
            # What a file that refers to nothing has goes back to the start.
            rank = carried + (1.0 - carried.sum()) * start
        return rank

    def move(self, before: int, after: int) -> None:
        """What was in one slot is in another now, which had nothing."""
        self.sources[self.sources == before] = after
        self.targets[self.targets == before] = after
        self.slots = max(self.slots, after + 1)

    def around(self, slot: int) -> tuple[list[int], list[int]]:
        """The slots that a file refers to, the strongest first, and those that refer to it."""
        targets = np.repeat(self.targets, np.diff(np.append(self.starts, len(self.sources))))
        out, into = self.sources == slot, targets == slot
        found = targets[out][np.argsort(-self.weights[out], kind="stable")]
        users = self.sources[into][np.argsort(-self.weights[into], kind="stable")]
        return list(dict.fromkeys(map(int, found))), list(dict.fromkeys(map(int, users)))


@dataclass(slots=True)
class _File:
    defines: array[int]
    uses: array[int]


@dataclass(slots=True)
class References:
    """The names that files define and use, by slots."""

    _names: dict[str, int] = field(default_factory=dict)
    _files: dict[int, _File] = field(default_factory=dict)
    _definers: dict[int, set[int]] = field(default_factory=dict)

    def put(self, slot: int, defines: Iterable[str], uses: Iterable[str]) -> None:
        """Takes in a file."""
        names = self._names
        made = _File(
            array("I", [names.setdefault(name, len(names)) for name in defines]),
            array("I", [names.setdefault(name, len(names)) for name in uses]),
        )
        self._files[slot] = made
        for name in made.defines:
            self._definers.setdefault(name, set()).add(slot)

    def remove(self, slot: int) -> None:
        """The file is gone."""
        gone = self._files.pop(slot, None)
        for name in gone.defines if gone is not None else ():
            definers = self._definers.get(name)
            if definers is not None:
                definers.discard(slot)
                if not definers:
                    del self._definers[name]

    def defining(self, name: str) -> set[int]:
        """The slots of the files that define a name."""
        number = self._names.get(name)
        return set() if number is None else set(self._definers.get(number, ()))

    def edges(self, slots: int) -> Iterator[Edges | None]:
        """Works the edges out in steps of a few milliseconds; the last thing that comes is what they are."""
        sources, targets, weights = array("l"), array("l"), array("d")
        looked = 0
        for slot, file in list(self._files.items()):
            found = [definers for name in file.uses if (definers := self._definers.get(name)) is not None]
            began = len(sources)
            for definers in found:
                if len(definers) <= MOST_DEFINERS and slot not in definers:
                    share = 1.0 / len(definers)
                    for definer in definers:
                        sources.append(slot)
                        targets.append(definer)
                        weights.append(share)
            made = len(sources) - began
            if made:
                total = sum(weights[began:])
                for at in range(began, len(weights)):
                    weights[at] /= total
            looked += len(file.uses) + made
            if looked >= STEP:
                looked = 0
                yield None
            if len(sources) > _EDGES:
                break
        yield None
        ends = np.array(sources, dtype=np.int64), np.array(targets, dtype=np.int64)
        top = max(slots, 1 + max((int(one.max()) for one in ends if len(one)), default=-1))
        yield Edges.of(*ends, np.array(weights, dtype=np.float64), top)
