"""What a three-way merge says: regions that cover the three texts, and the changes that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from collab.merge.three.matching import Change, minimal

Span = tuple[int, int]
"""Start and end in code points of one text."""


class Kind(StrEnum):
    """Who changed a region, and whether the changes could be brought together."""

    SAME = "same"
    OURS = "ours"
    THEIRS = "theirs"
    AGREED = "agreed"
    MERGED = "merged"
    CONFLICT = "conflict"


class Layer(StrEnum):
    """What decided a region: whole lines, the words in them, or what the language says about order."""

    LINES = "lines"
    TOKENS = "tokens"
    SYNTAX = "syntax"


@dataclass(frozen=True, slots=True)
class Region:
    """One stretch of the three texts and what stands there in the merged one; for a conflict that is ours."""

    kind: Kind
    layer: Layer
    base: Span
    ours: Span
    theirs: Span
    text: str


@dataclass(frozen=True)
class Merge:
    """The result of a merge of ``theirs`` into ``ours``. The regions cover base, ours and theirs without a gap."""

    ours: str
    regions: tuple[Region, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is left to ask."""
        return not self.conflicts

    @cached_property
    def conflicts(self) -> tuple[Region, ...]:
        """The regions that somebody has to decide."""
        return tuple(region for region in self.regions if region.kind is Kind.CONFLICT)

    @cached_property
    def text(self) -> str:
        """The merged text, with ours where there is a conflict."""
        return "".join(region.text for region in self.regions)

    @cached_property
    def changes(self) -> list[Change]:
        """What to replace in ours to get :attr:`text`: ascending, apart from each other, no more than needed."""
        changes: list[Change] = []
        for region in self.regions:
            if region.kind in (Kind.THEIRS, Kind.MERGED):
                start, end = region.ours
                changes += minimal(self.ours[start:end], region.text, start)
        return changes
