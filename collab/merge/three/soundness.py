"""The check of the whole: what parsed on every side still parses when it is merged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

from collab.merge.three.regions import Kind, Layer, Merge, Region, Span

NEAR: Final = 8
"""Lines between two changes up to which one is asked about when the merge of both does not parse."""


class Syntax(Protocol):
    """What a merge asks about a language."""

    def breaks(self, path: str, before: Sequence[str], after: str) -> bool:
        """Whether all of ``before`` parse and ``after`` does not."""
        ...

    def stands(
        self, path: str, base: str, ours: str, theirs: str, taken: Sequence[tuple[tuple[Span, Span, Span], str]]
    ) -> bool:
        """Whether it is certain, and quickly seen, that the merge breaks nothing.

        ``taken`` are the regions (base, ours, theirs) where something of theirs comes into ours, with the text.
        """
        ...

    def unite(
        self,
        path: str,
        base: str,
        ours: str,
        theirs: str,
        spans: tuple[Span, Span, Span],
        inside: Callable[[str, str, str], str | None] | None = None,
    ) -> str | None:
        """The text for one conflicting region when order does not matter there; None when it does.

        ``inside`` merges base, ours and theirs of one element that both sides changed.
        """
        ...


def sound(merged: Merge, base: str, theirs: str, path: str, syntax: Syntax) -> Merge:
    """``merged`` if it parses as its inputs do, else with as many more conflicts as it takes.

    First what was merged below whole lines is asked about, then what theirs changed near a change of ours, then
    all that theirs changed; each time ours stays in its place.
    """
    before = base, merged.ours, theirs
    doubts: tuple[Callable[[Sequence[Region]], list[int]], ...] = (_merged, _near, _taken)
    for doubtful in doubts:
        if merged.text == merged.ours or syntax.stands(path, *before, _taken_in(merged)):
            return merged
        if not syntax.breaks(path, before, merged.text):
            return merged
        regions = list(merged.regions)
        for index in doubtful(regions):
            start, end = regions[index].ours
            regions[index] = replace(
                regions[index], kind=Kind.CONFLICT, layer=Layer.LINES, text=merged.ours[start:end]
            )
        merged = Merge(merged.ours, tuple(regions))
    return merged


def _taken_in(merged: Merge) -> list[tuple[tuple[Span, Span, Span], str]]:
    taken = [one for one in merged.regions if one.kind in (Kind.THEIRS, Kind.MERGED)]
    return [((one.base, one.ours, one.theirs), one.text) for one in taken]


def _merged(regions: Sequence[Region]) -> list[int]:
    return [index for index, region in enumerate(regions) if region.kind is Kind.MERGED]


def _near(regions: Sequence[Region]) -> list[int]:
    found: list[int] = []
    for index in _taken(regions):
        for direction in (-1, 1):
            away = 0
            at = index + direction
            while 0 <= at < len(regions) and regions[at].kind in (Kind.SAME, Kind.THEIRS) and away <= NEAR:
                away += regions[at].text.count("\n")
                at += direction
            if 0 <= at < len(regions) and away <= NEAR:
                found.append(index)
                break
    return found


def _taken(regions: Sequence[Region]) -> list[int]:
    return [index for index, region in enumerate(regions) if region.kind is Kind.THEIRS]
