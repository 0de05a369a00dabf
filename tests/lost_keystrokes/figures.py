"""What many worlds came to, added up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MOST_DISPLACED = 0.005
LEAST_MERGED = 0.995


@dataclass(slots=True)
class Figures:
    """Counts of one world or of many. ``problems`` are what must never be, each with the seed that shows it."""

    worlds: int = 0
    jobs: int = 0
    edits: int = 0
    typed: int = 0
    """UTF-16 units that people typed."""
    lost: int = 0
    with_files: int = 0
    """Characters that went with a file which somebody deleted, or a job's undo that somebody asked for."""
    split: int = 0
    placed: int = 0
    """Inserts that are still there, so that it can be told whether they stand where they were typed."""
    displaced: Counter[str] = field(default_factory=Counter)
    hunks: Counter[str] = field(default_factory=Counter)
    """By what people did to a hunk's lines and by what became of it, such as ``clear merged``."""
    structural: Counter[str] = field(default_factory=Counter)
    """Renames and deletions in the answers, by what became of them."""
    undos: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    late: list[tuple[int, str]] = field(default_factory=list)
    """Examples of what may be, but seldom: displaced inserts, clear hunks that did not land by themselves."""

    def add(self, other: Figures) -> None:
        """Adds another world's, or many."""
        self.worlds += other.worlds
        self.jobs += other.jobs
        self.edits += other.edits
        self.typed += other.typed
        self.lost += other.lost
        self.with_files += other.with_files
        self.split += other.split
        self.placed += other.placed
        self.displaced += other.displaced
        self.hunks += other.hunks
        self.structural += other.structural
        self.undos += other.undos
        self.problems += other.problems
        self.late = (self.late + other.late)[:200]

    @property
    def share_displaced(self) -> float:
        """Displaced inserts per insert."""
        return sum(self.displaced.values()) / max(1, self.placed)

    def count(self, lines: str) -> int:
        """How many hunks there were whose lines people left ``clear``, were near or touched."""
        return sum(number for key, number in self.hunks.items() if key.startswith(lines + " "))

    @property
    def share_merged(self) -> float:
        """Non-colliding hunks that merged by themselves, of all of them."""
        return self.hunks["clear merged"] / max(1, self.count("clear"))

    def violations(self) -> list[str]:
        """Which promises are broken, in words; empty if all is well."""
        found = []
        if self.lost:
            found.append(f"{self.lost} characters that people typed were lost")
        if self.problems:
            found.append(f"{len(self.problems)} worlds broke a rule")
        if self.share_displaced > MOST_DISPLACED:
            found.append(f"{self.share_displaced:.3%} displaced, at most {MOST_DISPLACED:.1%} may be")
        if self.count("clear") and self.share_merged < LEAST_MERGED:
            found.append(f"{self.share_merged:.2%} of the clear hunks merged, at least {LEAST_MERGED:.1%} must")
        return found

    def table(self) -> str:
        """The figures for people to read."""
        rows = [
            ("worlds, jobs", f"{self.worlds:,}, {self.jobs:,}"),
            ("human edits during AI jobs", f"{self.edits:,}"),
            ("characters typed", f"{self.typed:,}"),
            ("characters lost", f"{self.lost:,}"),
            ("characters in files that somebody deleted", f"{self.with_files:,}"),
            ("typed text split by a merge", f"{self.split:,}"),
            ("inserts that can be placed", f"{self.placed:,}"),
            ("displaced", f"{sum(self.displaced.values()):,} ({self.share_displaced:.3%})"),
            *((f"  {why}", f"{number:,}") for why, number in sorted(self.displaced.items())),
        ]
        for lines, words in (
            ("clear", "hunks whose lines nobody touched"),
            ("near", "hunks beside whose lines people typed"),
            ("touched", "hunks whose lines people touched"),
            ("jobs", "hunks whose lines another job touched"),
            ("void", "hunks broken off"),
            ("asked", "hunks that the room is asked about first"),
        ):
            count = self.count(lines)
            rows.append((words, f"{count:,}"))
            for key, number in sorted(self.hunks.items()):
                if key.startswith(lines + " "):
                    rows.append((f"  {key.partition(' ')[2]}", f"{number:,} ({number / count:.2%})"))
        rows += [
            ("renames and deletions", ", ".join(f"{n:,} {what}" for what, n in sorted(self.structural.items()))),
            ("undos and redos", f"{self.undos:,}"),
            ("rules broken", f"{len(self.problems):,}"),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name.ljust(width)}  {value}" for name, value in rows)
