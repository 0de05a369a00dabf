"""What comparing texts by their meaning needs from outside, as Protocols, with their twins in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Protocol

import numpy as np

from generation.search.terms import WORD, Terms
from generation.search.vectors import Matrix

MOST_TEXTS: Final = 256
"""Texts of one request."""
MOST_CHARACTERS: Final = 32_000
"""Characters of one text."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A vector for each text, as they were given, and the tokens that the provider counted (0: it did not say)."""

    vectors: list[list[float]]
    tokens: int = 0


class Embedder(Protocol):
    """Turns texts into vectors that are near to each other where the texts mean the same."""

    @property
    def name(self) -> str:
        """What its provider calls it; vectors of another one cannot be compared with its own."""
        ...

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """A vector for each text. Raises ModelUnavailable, ModelRateLimited, ModelRefused."""
        ...


class VectorStore(Protocol):
    """Keeps vectors by a key of their text, so that nothing is paid for twice. It may lose any, at any time."""

    async def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Those that are kept."""
        ...

    async def put(self, vectors: Mapping[str, bytes]) -> None:
        """Keeps some."""
        ...

    async def close(self) -> None:
        """Ends all work."""
        ...


@dataclass(slots=True)
class MemoryVectors:
    """Implements VectorStore; at most ``most`` are kept, those used last."""

    most: int = 20_000
    _kept: OrderedDict[str, bytes] = field(default_factory=OrderedDict)

    async def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """See VectorStore.get."""
        found = {key: self._kept[key] for key in keys if key in self._kept}
        for key in found:
            self._kept.move_to_end(key)
        return found

    async def put(self, vectors: Mapping[str, bytes]) -> None:
        """See VectorStore.put."""
        for key, value in vectors.items():
            self._kept[key] = value
            self._kept.move_to_end(key)
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)

    async def close(self) -> None:
        """See VectorStore.close."""


@dataclass(slots=True)
class HashedEmbedder:
    """Implements Embedder without a model, for tests: texts with the same words are near to each other."""

    name: str = "hashed"
    size: int = 128
    _terms: Terms = field(default_factory=Terms)

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """See Embedder.embed."""
        return Embedded([self._vector(text) for text in texts], sum(len(text) // 4 for text in texts))

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.size
        for word in WORD.findall(text):
            for term in self._terms.of(word):
                place = int.from_bytes(blake2b(term.encode(), digest_size=4).digest(), "big")
                vector[place % self.size] += 1.0
        return vector


def key_of(model: str, text: str) -> str:
    """The key of a text's vector."""
    return blake2b(f"{model}\0{text}".encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def pack(vector: Matrix) -> bytes:
    """A vector to be kept, in numbers of 16 bits: half of the size, and near enough."""
    return vector.astype("<f2").tobytes()


def unpack(data: bytes) -> Matrix:
    """The reverse of pack. Raises ValueError for what is none."""
    made = np.frombuffer(data, dtype="<f2").astype(np.float32)
    if not made.size or not np.isfinite(made).all():
        raise ValueError("no vector")
    return made
