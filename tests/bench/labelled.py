"""Two public projects with their histories: texts, and what each change was called, and the files that it touched.

See tests/data/README.md.
"""

from __future__ import annotations

import json
import lzma
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

DATA: Final = Path(__file__).parents[1] / "data" / "retrieval.jsonl.xz"
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class Change:
    """One change. ``at`` orders them: a date, or a release."""

    at: str
    subject: str
    files: frozenset[str]
    held_out: bool
    """Whether the weights were mostly chosen without it; see docs/performance.md."""


@dataclass
class Project:
    name: str
    files: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def held_out(self) -> list[Change]:
        """The changes to measure by."""
        return [change for change in self.changes if change.held_out]


def projects() -> list[Project]:
    """All that the data holds."""
    found: dict[str, Project] = {}
    for line in lzma.decompress(DATA.read_bytes()).decode().splitlines():
        row = json.loads(line)
        project = found.setdefault(row["project"], Project(row["project"]))
        if "path" in row:
            project.files[row["path"]] = row["text"]
        else:
            project.changes.append(Change(row["at"], row["subject"], frozenset(row["files"]), row["held_out"]))
    return list(found.values())


def ndcg(ranked: Sequence[str], right: frozenset[str], most: int = 10) -> float:
    """How well a ranking puts what is right first: 1 is perfect (Jaervelin, Kekaelaeinen 2002)."""
    gain = sum(1 / math.log2(place + 2) for place, path in enumerate(ranked[:most]) if path in right)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(most, len(right))))


class PlainBM25:
    """What the index is compared with: BM25 over words in small letters of path and text, k1 1.2 and b 0.75."""

    def __init__(self, files: dict[str, str]) -> None:
        self._paths = list(files)
        counts = [Counter(_words(f"{path}\n{text}")) for path, text in files.items()]
        self._sizes = np.array([sum(count.values()) for count in counts])
        self._lists: dict[str, list[tuple[int, int]]] = {}
        for number, count in enumerate(counts):
            for word, times in count.items():
                self._lists.setdefault(word, []).append((number, times))

    def rank(self, question: str, most: int = 10) -> list[str]:
        scores = np.zeros(len(self._paths))
        mean = self._sizes.mean()
        for word in _words(question):
            found = self._lists.get(word, [])
            rarity = math.log(1 + (len(self._paths) - len(found) + 0.5) / (len(found) + 0.5))
            for number, times in found:
                size = 1 - 0.75 + 0.75 * self._sizes[number] / mean
                scores[number] += rarity * times * 2.2 / (times + 1.2 * size)
        return [self._paths[number] for number in np.argsort(-scores, kind="stable")[:most]]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
