"""An inverted index that grows at its end: what a changed file said before is marked as gone, and swept now and
then.

A posting is two numbers of 32 bits: the slot of a file, and how often the term is in each of its fields. numpy
reads them without a copy, so that a question about thousands of files takes a few milliseconds.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.search.facts import Facts

Floats = NDArray[np.float32]

FIELDS: Final = ("body", "symbols", "head", "places")
_BITS: Final = (14, 8, 5, 5)
_SHIFTS: Final = (0, 14, 22, 27)
_PAIR: Final = struct.Struct("<II")
_SWEPT: Final = 200
"""Terms whose lists are swept in one step."""
_MOST: Final = tuple((1 << bits) - 1 for bits in _BITS)


@dataclass(frozen=True, slots=True)
class Weights:
    """How much a term counts in each field, how much a field's length tells, and how fast repetition wears off.

    Found by a part of two projects' histories; tests/bench/test_retrieval.py measures by the rest.
    """

    weights: tuple[float, float, float, float] = (1.0, 5.0, 1.5, 20.0)
    lengths: tuple[float, float, float, float] = (0.55, 0.4, 0.4, 0.4)
    saturation: float = 5.0


class Postings:
    """Files by their slots, 0 and up; a slot is used once."""

    def __init__(self) -> None:
        # Bytes and not arrays of numbers: they are very many, and Python's collector would walk through all.
        self._lists: dict[str, bytearray] = {}
        self._lengths: list[array[int]] = [array("I") for _ in FIELDS]
        self._alive = bytearray()
        self._free: list[int] = []
        self._gone: set[int] = set()
        """Slots that are gone and still in the lists."""
        self._count = 0

    @property
    def slots(self) -> int:
        """How many slots there are, those of files that are gone included."""
        return len(self._alive)

    @property
    def files(self) -> int:
        """How many files there are."""
        return self._count

    @property
    def terms(self) -> int:
        """How many different terms there are."""
        return len(self._lists)

    def add(self, facts: Facts) -> int:
        """Takes in a file; its slot."""
        slot = self._free.pop() if self._free else self._grow()
        counters = (facts.body, facts.symbols, facts.head, facts.places)
        packed: dict[str, int] = {}
        for counter, shift, most, lengths in zip(counters, _SHIFTS, _MOST, self._lengths, strict=True):
            length = 0
            for term, count in counter.items():
                length += count
                packed[term] = packed.get(term, 0) + (min(count, most) << shift)
            lengths[slot] = min(length, 0xFFFFFFFF)
        lists = self._lists
        for term, value in packed.items():
            found = lists.get(term)
            if found is None:
                lists[term] = bytearray(_PAIR.pack(slot, value))
            else:
                found += _PAIR.pack(slot, value)
        self._alive[slot] = 1
        self._count += 1
        return slot

    def _grow(self) -> int:
        self._alive.append(0)
        for lengths in self._lengths:
            lengths.append(0)
        return len(self._alive) - 1

    def remove(self, slot: int) -> None:
        """The file of the slot is there no more."""
        if self._alive[slot]:
            self._alive[slot] = 0
            self._gone.add(slot)
            self._count -= 1

    def score(self, question: Mapping[str, float], weights: Weights) -> Floats:
        """How well each slot answers, by BM25F (Robertson, Zaragoza: The Probabilistic Relevance Framework, 2009).

        ``question`` maps terms to weights. Slots that are gone have 0.
        """
        scores = np.zeros(self.slots, dtype=np.float32)
        if not self._count:
            return scores
        alive = np.frombuffer(self._alive, dtype=np.uint8).astype(np.float32)
        norms = [self._norm(lengths, b, alive) for lengths, b in zip(self._lengths, weights.lengths, strict=True)]
        for term, wanted in question.items():
            found = self._lists.get(term)
            if found is None:
                continue
            pairs = np.frombuffer(found, dtype="<u4").reshape(-1, 2)
            slots, packed = pairs[:, 0], pairs[:, 1]
            living = alive[slots]
            having = float(living.sum())
            if not having:
                continue
            rarity = float(np.log1p((self._count - having + 0.5) / (having + 0.5)))
            count = np.zeros(len(slots), dtype=np.float32)
            for weight, shift, most, norm in zip(weights.weights, _SHIFTS, _MOST, norms, strict=True):
                if weight:
                    count += ((packed >> shift) & most).astype(np.float32) * weight / norm[slots]
            scores[slots] += wanted * rarity * living * count / (weights.saturation + count)
        return scores

    def ideal(self, question: Mapping[str, float]) -> float:
        """More than any file can score. Terms that no file has count as much as the rarest."""
        most = math.log1p(self._count + 0.5)
        total = 0.0
        for term, wanted in question.items():
            having = len(self._lists.get(term, b"")) / _PAIR.size
            total += wanted * (math.log1p((self._count + 0.5) / (having + 0.5)) if having else most)
        return total or 1.0

    def alive(self) -> NDArray[np.float64]:
        """1 for each slot that holds a file, 0 for the others."""
        return np.frombuffer(self._alive, dtype=np.uint8).astype(np.float64)

    def wasteful(self) -> bool:
        """Whether so many slots are gone that ``sweep`` pays."""
        return len(self._gone) > self._count // 2 + 64

    def sweep(self) -> Iterator[None]:
        """Takes what is gone out of the lists, in steps of a few milliseconds; files may change in between."""
        gone = np.zeros(len(self._alive), dtype=bool)
        gone[list(self._gone)] = True
        swept, self._gone = self._gone, set()
        done = False
        try:
            for number, term in enumerate(list(self._lists)):
                pairs = np.frombuffer(bytes(self._lists[term]), dtype="<u4").reshape(-1, 2)
                slots = pairs[:, 0]
                kept = pairs[~gone[np.minimum(slots, len(gone) - 1)] | (slots >= len(gone))]
                if len(kept) < len(pairs):
                    if len(kept):
                        self._lists[term] = bytearray(kept.tobytes())
                    else:
                        del self._lists[term]
                if number % _SWEPT == _SWEPT - 1:
                    yield
            done = True
        finally:
            if not done:
                self._gone |= swept
        # Only now may the slots be used again: until here a list could still name them.
        self._free += swept

    def _norm(self, lengths: array[int], b: float, alive: Floats) -> Floats:
        sizes = np.array(lengths, dtype=np.float32)
        mean = float((sizes * alive).sum()) / self._count or 1.0
        return ((1.0 - b) + b * sizes / mean).astype(np.float32)
