"""Blocks of lines that one side moved unchanged while the other side edited inside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from collab.merge.three.chunks import Chunk
from collab.merge.three.lines import Hunk
from collab.merge.three.regions import Kind

SMALLEST: Final = 3
"""Lines with a letter or digit that a block needs to be taken for the same one elsewhere."""


class Side(NamedTuple):
    """One side's lines, and its changes of the base."""

    lines: Sequence[str]
    hunks: Sequence[Hunk]


class _Move(NamedTuple):
    """Lines ``start:end`` of the base stand from ``to`` on in the side that moved them."""

    start: int
    end: int
    to: int


def followed(
    base: Sequence[str], ours: Side, theirs: Side, found: Sequence[Chunk], keeping: bool = False
) -> dict[int, tuple[Kind, str]]:
    """What becomes of chunks when edits follow the block that they were made in: by the index of the chunk.

    An edit follows only a block of some size that both has a single place where it came from and a single one
    where it went, and which reaches over the edit on both ends. With ``keeping`` ours follow no move of theirs.
    """
    done: dict[int, tuple[Kind, str]] = {}
    edits: dict[int, list[tuple[int, int, list[str]]]] = {}
    ways = ((ours, theirs, Kind.OURS), (theirs, ours, Kind.THEIRS))[: 1 if keeping else 2]
    for index, chunk in enumerate(found):
        if chunk.who != "both":
            continue
        for mover, editor, kind in ways:
            way = _way(base, mover, editor, chunk)
            if way is None:
                continue
            to = _place(found, way, kind)
            if to is None:
                continue
            low, high = _span(chunk, kind)
            done[index] = kind, "".join(mover.lines[low:high])
            edits.setdefault(to, []).extend(
                (way.to + i0 - way.start, way.to + i1 - way.start, list(editor.lines[j0:j1]))
                for i0, i1, j0, j1 in _inside(editor.hunks, chunk)
            )
            break
    for index, changes in edits.items():
        kind = Kind(found[index].who)
        mover = ours if kind is Kind.OURS else theirs
        low, high = _span(found[index], kind)
        text: list[str] = []
        for start, end, new in sorted(changes):
            text += [*mover.lines[low:start], *new]
            low = end
        done[index] = Kind.MERGED, "".join([*text, *mover.lines[low:high]])
    return done


def _way(base: Sequence[str], mover: Side, editor: Side, chunk: Chunk) -> _Move | None:
    """The block that holds all of the editor's changes in ``chunk``, and where the mover has it."""
    edits = list(_inside(editor.hunks, chunk))
    first, last = edits[0][0] - 1, edits[-1][1] + 1
    gone = [(i0, i1) for i0, i1, _, _ in _inside(mover.hunks, chunk) if i0 <= first and last <= i1]
    if first < chunk.b0 or last > chunk.b1 or not gone:
        return None
    low, high = gone[0]
    moves: list[_Move] = []
    for _, _, j0, j1 in mover.hunks:
        for j in range(j0, j1 - (last - first) + 1):
            if mover.lines[j] != base[first] or list(mover.lines[j : j + last - first]) != list(base[first:last]):
                continue
            start, end, to = first, last, j
            while start > low and to > j0 and base[start - 1] == mover.lines[to - 1]:
                start -= 1
                to -= 1
            while end < high and to + end - start < j1 and base[end] == mover.lines[to + end - start]:
                end += 1
            moves.append(_Move(start, end, to))
    if len(moves) != 1:
        return None
    block = list(base[moves[0].start : moves[0].end])
    if sum(any(map(str.isalnum, line)) for line in block) < SMALLEST or _count(base, block) != 1:
        return None
    return moves[0]


def _inside(hunks: Sequence[Hunk], chunk: Chunk) -> Iterator[Hunk]:
    return (hunk for hunk in hunks if chunk.b0 <= hunk[0] and hunk[1] <= chunk.b1)


def _place(found: Sequence[Chunk], move: _Move, kind: Kind) -> int | None:
    """The chunk of the mover alone that holds the new place."""
    length = move.end - move.start
    for index, chunk in enumerate(found):
        low, high = _span(chunk, kind)
        if chunk.who == kind.value and low <= move.to and move.to + length <= high:
            return index
    return None


def _span(chunk: Chunk, kind: Kind) -> tuple[int, int]:
    return (chunk.o0, chunk.o1) if kind is Kind.OURS else (chunk.t0, chunk.t1)


def _count(lines: Sequence[str], block: list[str]) -> int:
    size = len(block)
    return sum(
        lines[at] == block[0] and list(lines[at : at + size]) == block for at in range(len(lines) - size + 1)
    )
