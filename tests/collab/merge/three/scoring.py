"""Scores merges against what people committed: right, asked, different, and within that dropping and broken."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from collab.merge.three.merge import merge
from collab.merge.three.regions import Kind, Merge
from collab.merge.three.soundness import Syntax

CASES = Path(__file__).parents[3] / "data" / "merge_cases.jsonl.gz"


@dataclass(frozen=True)
class Case:
    """One real merge."""

    name: str
    path: str
    base: str
    ours: str
    theirs: str
    resolved: str
    git_conflicts: int


@dataclass(frozen=True)
class Outcome:
    """What a merge made of a case, None for a question; ``pieces`` are base, ours, theirs, merged by region."""

    text: str | None
    pieces: list[tuple[str, str, str, str]] = field(default_factory=list)


@dataclass
class Score:
    """The names of the cases by how they came out."""

    right: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    dropping: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def row(self) -> str:
        """The five numbers, as one row of a table."""
        names = self.right, self.asked, self.different, self.dropping, self.broken
        return "".join(f"{len(found):>11}" for found in names)


@cache
def cases() -> tuple[Case, ...]:
    """All cases, in the order of the file."""
    with gzip.open(CASES, "rt", encoding="utf-8", newline="\n") as lines:
        found = [json.loads(line) for line in lines]
    return tuple(
        Case(
            name=f"{one['repo']} {one['commit'][:8]} {one['path']}",
            **{key: one[key] for key in ("path", "base", "ours", "theirs", "resolved", "git_conflicts")},
        )
        for one in found
    )


def score(chosen: Iterable[Case], run: Callable[[Case], Outcome], syntax: Syntax) -> Score:
    """Runs a merge on each case."""
    result = Score()
    for case in chosen:
        outcome = run(case)
        if outcome.text is None:
            result.asked.append(case.name)
        elif outcome.text == case.resolved:
            result.right.append(case.name)
        else:
            result.different.append(case.name)
            if any(drops(*piece) for piece in outcome.pieces):
                result.dropping.append(case.name)
            if syntax.breaks(case.path, [case.base, case.ours, case.theirs], outcome.text):
                result.broken.append(case.name)
    return result


def by_pairloom(case: Case, syntax: Syntax) -> Outcome:
    """The merge engine's result."""
    merged = merge(case.base, case.ours, case.theirs, path=case.path, syntax=syntax)
    return Outcome(merged.text if merged.clean else None, pieces(case, merged))


def pieces(case: Case, merged: Merge) -> list[tuple[str, str, str, str]]:
    """The four texts of each region; those of a block that was moved, and of the place it came from, as one."""
    moved = ["", "", "", ""]
    found: list[tuple[str, str, str, str]] = []
    for region in merged.regions:
        base, ours, theirs = (
            text[slice(*span)]
            for text, span in (
                (case.base, region.base),
                (case.ours, region.ours),
                (case.theirs, region.theirs),
            )
        )
        alone = {Kind.OURS: theirs, Kind.THEIRS: ours, Kind.MERGED: None}.get(region.kind, base)
        piece = base, ours, theirs, region.text
        if alone not in (None, base) or (region.kind is Kind.MERGED and base in (ours, theirs)):
            moved = [before + text for before, text in zip(moved, piece, strict=True)]
        else:
            found.append(piece)
    return [*found, (moved[0], moved[1], moved[2], moved[3])]


def drops(base: str, ours: str, theirs: str, merged: str) -> bool:
    """Whether a word that one side added is missing, or a line that only one side removed is back."""
    was, one, other, now = (Counter(re.findall(r"\w+", text)) for text in (base, ours, theirs, merged))
    for side, opposite in ((one, other), (other, one)):
        for word, count in side.items():
            if count > was[word] and count > opposite[word] and now[word] < count:
                return True
    lines, mine, yours, result = (Counter(text.split("\n")) for text in (base, ours, theirs, merged))
    return any(
        line.strip(" \t)]}([{,:;") != ""
        and min(mine[line], yours[line]) < count == max(mine[line], yours[line])
        and result[line] > min(mine[line], yours[line])
        for line, count in lines.items()
    )
