"""What is different between two states of a room: files, and the lines in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from collab.history.tree import Row, Tree
from collab.ids import FileId
from collab.merge.three.lines import diff, split

CONTEXT_LINES: Final = 3
MOST_FILES: Final = 1_000
"""Files that a comparison names; ``Comparison.more`` counts the others."""
MOST_LINES: Final = 5_000
MOST_CHARS: Final = 400_000
"""Lines and characters of one whole comparison; where they are used up, files are named without their lines."""

Mark = Literal["same", "gone", "new"]
Kind = Literal["added", "removed", "renamed", "changed"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk, without its line end."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that differ, with a few around them. Lines count from 0."""

    before: int
    after: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FileComparison:
    """One file that is different. ``before`` is its path before, where that was another.

    ``hunks`` are left out (``whole`` is False) where the comparison would be too large with them.
    """

    file: FileId
    path: str
    kind: Kind
    before: str | None = None
    added: int = 0
    removed: int = 0
    hunks: tuple[Hunk, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """All files that are different, by path; ``more`` of them are not among these."""

    files: tuple[FileComparison, ...]
    more: int = 0


@dataclass(slots=True)
class Budget:
    """How much a comparison may still hold."""

    lines: int = MOST_LINES
    chars: int = MOST_CHARS

    def takes(self, hunks: list[Hunk]) -> bool:
        """Whether these still fit; they are counted then."""
        lines = sum(len(hunk.lines) for hunk in hunks)
        chars = sum(len(line.text) for hunk in hunks for line in hunk.lines)
        if lines > self.lines or chars > self.chars:
            return False
        self.lines -= lines
        self.chars -= chars
        return True


def different(before: Tree, after: Tree, only: str | None = None) -> list[tuple[Row | None, Row | None]]:
    """The files that differ, as they are in both, by path. ``only`` is a file's id, or its path in either."""
    pairs = []
    for file in {**before.rows, **after.rows}:
        one, other = before.rows.get(file), after.rows.get(file)
        if one is not None and other is not None and (one.path, one.digest) == (other.path, other.digest):
            continue
        if only is None or only == file or only in {row.path for row in (one, other) if row is not None}:
            pairs.append((one, other))
    return sorted(pairs, key=lambda pair: _key(*pair))


def compare(
    pairs: list[tuple[Row | None, Row | None]], text_before: Callable[[Row], str], text_after: Callable[[Row], str]
) -> Comparison:
    """The lines that differ in these files. The texts are asked for one after the other."""
    budget = Budget()
    files = []
    for before, after in pairs[:MOST_FILES]:
        row = after or before
        assert row is not None
        old = text_before(before) if before is not None else ""
        new = text_after(after) if after is not None else ""
        found = list(hunks(old, new))
        fits = budget.takes(found)
        files.append(
            FileComparison(
                row.file,
                row.path,
                _kind(before, after, old, new),
                before.path if before is not None and after is not None and before.path != after.path else None,
                sum(line.mark == "new" for hunk in found for line in hunk.lines),
                sum(line.mark == "gone" for hunk in found for line in hunk.lines),
                tuple(found) if fits else (),
                fits,
            )
        )
    return Comparison(tuple(files), max(0, len(pairs) - MOST_FILES))


def hunks(old: str, new: str) -> Iterator[Hunk]:
    """The lines that differ, each with up to CONTEXT_LINES around; neighbours that would overlap are one."""
    a, b = split(old), split(new)
    group: list[tuple[int, int, int, int]] = []
    for change in diff(a, b):
        if group and change[0] - group[-1][1] > 2 * CONTEXT_LINES:
            yield _hunk(a, b, group)
            group = []
        group.append(change)
    if group:
        yield _hunk(a, b, group)


def _hunk(a: list[str], b: list[str], changes: list[tuple[int, int, int, int]]) -> Hunk:
    start = max(0, changes[0][0] - CONTEXT_LINES)
    lines: list[Line] = []
    at = start
    for i0, i1, j0, j1 in changes:
        lines += [Line("same", _bare(line)) for line in a[at:i0]]
        lines += [Line("gone", _bare(line)) for line in a[i0:i1]]
        lines += [Line("new", _bare(line)) for line in b[j0:j1]]
        at = i1
    lines += [Line("same", _bare(line)) for line in a[at : at + CONTEXT_LINES]]
    return Hunk(start, changes[0][2] - (changes[0][0] - start), tuple(lines))


def _bare(line: str) -> str:
    return line.removesuffix("\n")


def _kind(before: Row | None, after: Row | None, old: str, new: str) -> Kind:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    return "renamed" if old == new else "changed"


def _key(before: Row | None, after: Row | None) -> tuple[str, str]:
    row = after or before
    assert row is not None
    return row.path, row.file
