"""Vectors of the pieces of files, and which files are nearest to another vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

MOST_BYTES: Final = 96 * 1024 * 1024
"""Memory of one room's vectors; files beyond it are found by words alone."""
_FIRST: Final = 256


def normal(vectors: Sequence[Sequence[float]] | Matrix) -> Matrix:
    """The vectors as rows of length 1, so that a product is the cosine.

    Raises ValueError if they are no vectors of one size with finite numbers.
    """
    made = np.asarray(vectors, dtype=np.float32)
    if made.ndim != 2 or not made.size or not np.isfinite(made).all():
        raise ValueError("no vectors of one size with finite numbers")
    sizes = np.linalg.norm(made, axis=1, keepdims=True)
    return (made / np.where(sizes > 0, sizes, 1)).astype(np.float32)


@dataclass(slots=True)
class Vectors:
    """The vectors of one room; a file has any number of them, all of one size."""

    size: int
    _rows: Matrix = field(init=False)
    _owner: list[str | None] = field(default_factory=list)
    _of: dict[str, list[int]] = field(default_factory=dict)
    _free: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begins with few rows."""
        self._rows = np.zeros((_FIRST, self.size), dtype=np.float32)

    def __len__(self) -> int:
        """How many vectors there are."""
        return len(self._owner) - len(self._free)

    def put(self, file: str, vectors: Matrix) -> bool:
        """Sets the vectors of a file; False if there is no more room. Raises ValueError for another size."""
        if vectors.shape[1] != self.size:
            raise ValueError(f"vectors of {vectors.shape[1]} numbers instead of {self.size}")
        self.drop(file)
        if (len(self) + len(vectors)) * self.size * 4 > MOST_BYTES:
            return False
        for vector in vectors:
            row = self._free.pop() if self._free else self._grow()
            self._rows[row] = vector
            self._owner[row] = file
            self._of.setdefault(file, []).append(row)
        return True

    def drop(self, file: str) -> None:
        """The file has no vectors any more."""
        for row in self._of.pop(file, ()):
            self._rows[row] = 0
            self._owner[row] = None
            self._free.append(row)

    def nearest(self, vector: Matrix, most: int) -> list[tuple[str, float]]:
        """The files with the nearest vectors, the nearest first, with the cosine; each once."""
        if not self._of:
            return []
        likeness = self._rows[: len(self._owner)] @ vector.reshape(-1)
        best: dict[str, float] = {}
        for row in np.argsort(-likeness, kind="stable"):
            owner = self._owner[row]
            if owner is not None and owner not in best:
                best[owner] = float(likeness[row])
                if len(best) >= most:
                    break
        return list(best.items())

    def _grow(self) -> int:
        row = len(self._owner)
        if row >= len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._owner.append(None)
        return row
