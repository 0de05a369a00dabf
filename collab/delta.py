"""What one transaction did to one text, as pycrdt tells it: in UTF-8 bytes of the text before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Retain:
    """Leaves ``length`` UTF-8 bytes as they are."""

    length: int


@dataclass(frozen=True, slots=True)
class Insert:
    """Inserts a text."""

    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes ``length`` UTF-8 bytes."""

    length: int


DeltaStep = Retain | Insert | Delete
Delta = tuple[DeltaStep, ...]
"""What one transaction did to one text, from its start, in UTF-8 bytes of the text before."""


def read_delta(steps: Iterable[dict[str, Any]]) -> Delta:
    """The delta of one of pycrdt's text events."""
    delta: list[DeltaStep] = []
    for step in steps:
        if "insert" in step:
            # An embed has the length of one unit and no text; a text file shows it as an object
            # replacement character, and it is left in place.
            delta.append(Insert(step["insert"] if isinstance(step["insert"], str) else "\ufffc"))
        elif "delete" in step:
            delta.append(Delete(int(step["delete"])))
        else:
            delta.append(Retain(int(step["retain"])))
    return tuple(delta)
