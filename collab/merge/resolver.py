"""Decides about texts that two sides have changed: the three-way merge, and what the language says of it.

Everything here is a function of its arguments alone, so every node decides alike (I5).
"""

from __future__ import annotations

from typing import Final

from collab.merge.aligner import Change
from collab.merge.structure import Losses, merged_once
from collab.merge.suggestions import Layer
from collab.merge.three.merge import merge
from collab.merge.three.regions import Kind, Merge
from collab.syntax.syntax import Syntax

WHOLE_CHARS: Final = 400_000
"""Up to this size a collision is looked at within its whole file; in a larger one, by itself."""
Regions = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


class TextResolver:
    """Implements collab.merge.contest.Resolver. Without ``syntax`` only lines and words count."""

    def __init__(self, syntax: Syntax | None = None) -> None:
        self._syntax = syntax
        self._losses: Losses | None = None

    def three(self, path: str, base: str, ours: str, theirs: str) -> Merge:
        """The whole three-way merge, region by region. It deletes, moves and splits nothing that is ours."""
        return merge(base, ours, theirs, path=path, syntax=self._syntax, keeping=True)

    def merge(
        self, path: str, base: str, ours: str, theirs: str, regions: Regions
    ) -> tuple[list[Change], Layer] | None:
        """The changes of ``ours`` that bring what ``theirs`` changed, if that is certain, and which layer found
        them; None if the room must be asked. ``regions`` are where the collision is in the three texts.
        """
        shift = 0
        if max(len(base), len(ours), len(theirs)) > WHOLE_CHARS:
            base, ours, theirs = (
                text[start:end] for text, (start, end) in zip((base, ours, theirs), regions, strict=True)
            )
            shift = regions[1][0]
        merged = self.three(path, base, ours, theirs)
        if not merged.clean:
            return None
        layers = {region.layer.value for region in merged.regions if region.kind is Kind.MERGED}
        layer: Layer = "syntax" if "syntax" in layers else "tokens" if "tokens" in layers else "lines"
        return [(shift + start, shift + end, text) for start, end, text in merged.changes], layer

    def breaks(self, path: str, before: list[str], after: str) -> bool:
        """Whether all texts before can be parsed and the one after cannot."""
        return self._syntax is not None and self._syntax.breaks(path, before, after)

    def objection(self, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
        """Why a hunk does not fit any more, though nobody touched its lines; empty if it does."""
        if self._syntax is None:
            return ""
        if self._losses is None or self._losses.texts != (path, base, live):
            # Asked for hunk by hunk; what became of the symbols is the same for all.
            self._losses = Losses(self._syntax, path, base, live)
        return " ".join(self._losses.of(start, end, replacement))

    def once(self, path: str, base: str, live: str, start: int, end: int, replacement: str) -> str:
        """The replacement without the imports and definitions that ``live`` has gained as well."""
        if self._syntax is None:
            return replacement
        return merged_once(self._syntax, path, base, live, start, end, replacement)
