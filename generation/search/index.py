"""The index of one project: kept up to date file by file, asked by words, by references and by who is where.

Nothing here waits or reads a clock. ``sync`` tells what has changed, ``steps`` does the work in pieces of a few
milliseconds, and between them all questions are answered from what is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Final

import numpy as np

from generation.search import facts as facts_of
from generation.search.facts import Facts
from generation.search.graph import Edges, References
from generation.search.postings import Floats, Postings, Weights
from generation.search.terms import WORD, Terms

WEIGHTS: Final = Weights()
_TEST: Final = re.compile(
    r"(^|/)(tests?|testing|spec|specs|__tests__|fixtures|testdata)(/|$)|(^|/)test_|[._-](test|spec)\."
)
_GENERATED: Final = re.compile(
    r"(^|/)(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|Cargo\.lock|go\.sum)$"
    r"|\.min\.(js|css)$|\.(map|svg|csv|snap)$|(^|/)(node_modules|vendor|dist|build)/"
)
_TESTS_COUNT: Final = 0.5
"""A test repeats the words of what it tests; it counts so much of that, unless tests are asked for."""
_GENERATED_COUNTS: Final = 0.3
_RANK_COUNTS: Final = 0.4
"""So much a file gains at most for being referred to by many."""
_ASKS_FOR_TESTS: Final = frozenset({"test", "spec", "unittest", "pytest", "fixtur"})


@dataclass(frozen=True, slots=True)
class Hit:
    """A file that answers a question: how well (more is better, no unit), and how near that is to the best that
    any file could do, from 0 to 1.
    """

    file: str
    path: str
    score: float
    share: float = 0.0


@dataclass(slots=True)
class _Entry:
    path: str
    digest: bytes = b""
    slot: int = -1
    """Where its words are; -1 until it is read."""
    defines: frozenset[str] = frozenset()
    test: bool = False
    generated: bool = False


@dataclass(slots=True)
class ProjectIndex:
    """Files are known by their ids, which are any texts. For one thread at a time."""

    terms: Terms = field(default_factory=Terms)
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _dirty: dict[str, None] = field(default_factory=dict)
    _postings: Postings = field(default_factory=Postings)
    _references: References = field(default_factory=References)
    _files: dict[int, str] = field(default_factory=dict)
    _edges: Edges | None = None
    _rank: Floats | None = None
    _edges_due: bool = False

    @property
    def files(self) -> int:
        """How many files the project has."""
        return len(self._entries)

    @property
    def pending(self) -> int:
        """How many of them are still to be read."""
        return len(self._dirty)

    @property
    def referring(self) -> bool:
        """Whether who refers to whom was ever worked out."""
        return self._edges is not None

    @property
    def outdated(self) -> bool:
        """Whether it should be worked out anew, with ``refer``."""
        return self._edges_due

    def sync(self, paths: Mapping[str, str], changed: Iterable[str] | None = None) -> None:
        """The project has these files now, id to path. ``changed`` are those whose text may be another one; None:
        all may be. What is read already and has the same text is not read again.
        """
        for file in [file for file in self._entries if file not in paths]:
            self._drop(self._entries.pop(file))
            self._dirty.pop(file, None)
        for file, path in paths.items():
            entry = self._entries.get(file)
            if entry is None:
                self._entries[file] = _Entry(path)
                self._dirty[file] = None
            elif entry.path != path:
                entry.path, entry.digest = path, b""
                self._dirty[file] = None
        self.touch(paths if changed is None else changed)

    def touch(self, files: Iterable[str]) -> None:
        """The texts of these may be others now."""
        for file in files:
            if file in self._entries:
                self._dirty[file] = None

    def digests(self) -> dict[str, bytes]:
        """The files that are read, each with a digest of its path and text."""
        return {file: entry.digest for file, entry in self._entries.items() if entry.digest}

    def first(self, files: Iterable[str]) -> None:
        """These are read before the others that wait."""
        some = {file: None for file in files if file in self._dirty}
        if some:
            self._dirty = {**some, **self._dirty}

    def steps(self, read: Callable[[str], str | None]) -> Iterator[None]:
        """Does what is to be done, in steps of a few milliseconds. ``read`` gives a file's text, None if it is
        gone. It may be given up in the middle, and begun anew.
        """
        while self._dirty:
            file = next(iter(self._dirty))
            # Taken off the list first: what changes while it is read puts it there again.
            del self._dirty[file]
            entry, text = self._entries.get(file), read(file)
            if entry is not None and text is not None:
                done = False
                try:
                    yield from self._read(file, entry, text)
                    done = True
                finally:
                    if not done:
                        self._dirty[file] = None
            yield
        if self._postings.wasteful():
            yield from self._postings.sweep()

    def _read(self, file: str, entry: _Entry, text: str) -> Generator[None, None, None]:
        digest = blake2b(f"{entry.path}\0{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if entry.digest == digest:
            return
        found: Facts = yield from facts_of.read(entry.path, text, self.terms)
        if self._entries.get(file) is not entry:
            return
        yield
        if self._entries.get(file) is not entry:
            return
        before = entry.slot
        self._drop(entry)
        entry.digest, entry.defines = b"", frozenset(found.defines)
        entry.slot = self._postings.add(found)
        self._moved(before, entry.slot)
        entry.test, entry.generated = is_test(entry.path), is_generated(entry.path)
        self._files[entry.slot] = file
        yield
        if self._files.get(entry.slot) != file:
            return
        entry.digest = digest
        self._references.put(entry.slot, found.defines, found.uses)
        self._edges_due = True

    def _drop(self, entry: _Entry) -> None:
        if entry.slot >= 0:
            self._postings.remove(entry.slot)
            self._references.remove(entry.slot)
            self._files.pop(entry.slot, None)
            entry.slot = -1
            self._edges_due = True

    def _moved(self, before: int, after: int) -> None:
        """A file that has changed keeps the place that references gave it."""
        if before < 0 or self._edges is None:
            return
        self._edges.move(before, after)
        if self._rank is not None:
            rank = np.zeros(max(after + 1, len(self._rank)), dtype=np.float32)
            rank[: len(self._rank)] = self._rank
            rank[after] = rank[before]
            self._rank = rank

    def refer(self) -> Iterator[None]:
        """Works out anew who refers to whom, in steps of a few milliseconds.

        It takes a look at all files, so it is not done for each change: a changed file keeps its place till then.
        """
        self._edges_due = False
        done = False
        try:
            for edges in self._references.edges(self._postings.slots):
                if edges is not None:
                    self._edges = edges
                    self._rank = None
                    done = True
                yield
        finally:
            self._edges_due = self._edges_due or not done

    # Questions

    def search(self, question: str, most: int = 10) -> list[Hit]:
        """The files that answer a question, the best first: by their words, weighed by what kind of file they are
        and by how many others refer to them.
        """
        asked = self.terms.question(question)
        scores = self._postings.score(asked, WEIGHTS)
        if not scores.size:
            return []
        tests = bool(_ASKS_FOR_TESTS & asked.keys())
        rank = self._importance(scores.size)
        # Twice as many as are wanted, since what kind of file it is may change their order.
        best = _best(scores * (1.0 + _RANK_COUNTS * rank), 4 * most + 20)
        weighed: list[tuple[float, str, str]] = []
        for slot in best:
            file = self._files.get(slot)
            if file is None:
                continue
            entry = self._entries[file]
            score = float(scores[slot]) * (1.0 + _RANK_COUNTS * float(rank[slot]))
            if not tests and entry.test:
                score *= _TESTS_COUNT
            if entry.generated:
                score *= _GENERATED_COUNTS
            weighed.append((-score, entry.path, file))
        weighed.sort()
        ideal = self._postings.ideal(asked)
        top = -weighed[0][0] if weighed else 1.0
        # How near a file is to the best of all counts twice: where no file has more than a few of the words, none
        # belongs to the question.
        shares = [(-score / top) * min(1.0, -2 * score / ideal) for score, _, _ in weighed[:most]]
        return [
            Hit(file, path, -score, share)
            for (score, path, file), share in zip(weighed[:most], shares, strict=True)
        ]

    def defining(self, names: Iterable[str]) -> dict[str, list[str]]:
        """For each name, the files that define it; names that nobody defines are left out."""
        found: dict[str, list[str]] = {}
        for name in names:
            files = [self._files[slot] for slot in self._references.defining(name) if slot in self._files]
            if files:
                found[name] = sorted(files, key=lambda file: self._entries[file].path)
        return found

    def names_in(self, text: str) -> list[str]:
        """The words of a text that are names which the project defines, in their order, each once."""
        words = dict.fromkeys(WORD.findall(text))
        return [word for word in words if len(word) > 2 and self._references.defining(word)]

    def ranked(self, near: Mapping[str, float] | None = None) -> dict[str, float]:
        """All files that are read, with their rank by references; all together 1.

        ``near`` weighs the files that somebody is at work in: what they refer to ranks higher then.
        """
        alive = self._postings.alive()
        if self._edges is None:
            share = 1.0 / max(1, len(self._files))
            return dict.fromkeys(self._files.values(), share)
        edges = self._fitting(self._edges, len(alive))
        slots = {
            self._entries[file].slot: weight for file, weight in (near or {}).items() if file in self._entries
        }
        rank = edges.rank(_padded(alive, edges.slots), {slot: w for slot, w in slots.items() if slot >= 0})
        return {file: float(rank[slot]) for slot, file in self._files.items()}

    def related(self, file: str, most: int = 10) -> tuple[list[str], list[str]]:
        """The files that a file refers to, and those that refer to it; the strongest first."""
        entry = self._entries.get(file)
        if entry is None or entry.slot < 0 or self._edges is None:
            return [], []
        out, into = self._edges.around(entry.slot)
        return self._named(out, most), self._named(into, most)

    def _named(self, slots: Iterable[int], most: int) -> list[str]:
        return [self._files[slot] for slot in slots if slot in self._files][:most]

    def _importance(self, slots: int) -> Floats:
        """How much each slot is referred to, from 0 to 1."""
        if self._rank is not None and len(self._rank) < slots:
            # Of what is new nobody knows yet.
            self._rank = np.concatenate([self._rank, np.zeros(slots - len(self._rank), dtype=np.float32)])
        if self._rank is None:
            if self._edges is None:
                return np.zeros(slots, dtype=np.float32)
            alive = self._postings.alive()
            edges = self._fitting(self._edges, len(alive))
            rank = np.log1p(edges.rank(_padded(alive, edges.slots)) * max(1, len(self._files)))
            self._rank = (rank / (rank.max() or 1.0)).astype(np.float32)
        return self._rank[:slots]

    def _fitting(self, edges: Edges, slots: int) -> Edges:
        if edges.slots >= slots:
            return edges
        return replace(edges, slots=slots)


def _padded(values: np.typing.NDArray[np.float64], size: int) -> np.typing.NDArray[np.float64]:
    return np.pad(values, (0, size - len(values))) if len(values) < size else values


def _best(scores: Floats, most: int) -> list[int]:
    if len(scores) > most:
        some = np.argpartition(-scores, most)[:most]
    else:
        some = np.arange(len(scores))
    some = some[scores[some] > 0]
    return [int(slot) for slot in some[np.argsort(-scores[some], kind="stable")]]


def is_generated(path: str) -> bool:
    """Whether a file is made by a tool, by its path."""
    return bool(_GENERATED.search(path))


def is_test(path: str) -> bool:
    """Whether a file holds tests, by its path."""
    return bool(_TEST.search(path))
