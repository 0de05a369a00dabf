"""Carries a decision over to a text in which people went on typing while it was being made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

from collab.merge.changeset import TOUCHED, Decision, Piece, of_pieces
from collab.merge.three.lines import diff, split


class _Edit(NamedTuple):
    """``start:end`` of the text before stands at ``low:high`` now."""

    start: int
    end: int
    low: int
    high: int


def rebase(decision: Decision, before: str, now: str, *, force: bool = False) -> Decision | None:
    """The decision about lines of ``before``, for ``now``; None if somebody typed where it would change something.

    With ``force`` the room is asked about such lines: what people typed there stays. A pure function.
    """
    edits = _edits(before, now)
    pieces: list[Piece] = []
    for piece in decision.pieces:
        # As everywhere, lines that touch are not apart.
        near = [edit for edit in edits if edit.start <= piece.end and piece.start <= edit.end]
        if not near:
            shift = _shift(edits, piece.start)
            changes = tuple((start + shift, end + shift, text) for start, end, text in piece.changes)
            pieces.append(replace(piece, start=piece.start + shift, end=piece.end + shift, changes=changes))
        elif piece.outcome == "asked" or force:
            start, end = _span(piece, near, edits)
            asked = replace(piece, start=start, end=end, ours=now[start:end], changes=())
            if piece.outcome != "asked":
                conflict = piece.conflict if piece.conflict != "none" else "overlapping_edits"
                asked = replace(asked, outcome="asked", conflict=conflict, layer="", reason=TOUCHED)
            pieces.append(asked)
        else:
            return None
    return of_pieces(decision.path, pieces, decision.before, decision.text)


def _edits(before: str, now: str) -> list[_Edit]:
    old, new = split(before), split(now)
    old_at, new_at = [0, *accumulate(map(len, old))], [0, *accumulate(map(len, new))]
    return [_Edit(old_at[i0], old_at[i1], new_at[j0], new_at[j1]) for i0, i1, j0, j1 in diff(old, new)]


def _shift(edits: Sequence[_Edit], at: int) -> int:
    """By how much what stands at ``at``, which no edit touches, has moved."""
    last = next((edit for edit in reversed(edits) if edit.end <= at), None)
    return 0 if last is None else last.high - last.end


def _span(piece: Piece, near: Sequence[_Edit], edits: Sequence[_Edit]) -> tuple[int, int]:
    first, last = near[0], near[-1]
    start = first.low if first.start <= piece.start else piece.start + _shift(edits, piece.start)
    end = last.high if last.end >= piece.end else piece.end + last.high - last.end
    return start, end
