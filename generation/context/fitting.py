"""Chooses pieces under a budget of tokens, which is never exceeded."""

from __future__ import annotations

from collections.abc import Sequence

from generation.context.pieces import KINDS, Chosen, Piece


def fit(pieces: Sequence[Piece], budget: int, wanted: int | None = None) -> tuple[Chosen, ...]:
    """What of each piece is shown, in the order of ``pieces.KINDS`` and there by name.

    First the pinned ones in their order, then the others by score: as a whole where that fits, else by their
    summary, else not at all. ``wanted`` bounds what those that are not pinned may bring the sum to, as the window
    of a model is often far larger than a request is worth.
    """
    left = max(0, budget)
    chosen: list[Chosen] = []
    for piece in pieces:
        if piece.pinned:
            one = _fitted(piece, left, left)
            left -= one.tokens
            chosen.append(one)
    used = sum(one.tokens for one in chosen)
    room = left if wanted is None else min(left, max(0, wanted - used))
    for piece in sorted((one for one in pieces if not one.pinned), key=lambda one: (-one.score, one.name)):
        one = _fitted(piece, room, left)
        room -= one.tokens
        left -= one.tokens
        chosen.append(one)
    return tuple(sorted(chosen, key=lambda one: (KINDS.index(one.piece.kind), one.piece.name)))


def _fitted(piece: Piece, room: int, left: int) -> Chosen:
    if piece.whole and piece.tokens <= room:
        return Chosen(piece, "whole", piece.tokens)
    if piece.whole:
        kept = "" if room >= left else ", as more is not wanted"
        reason = f"about {piece.tokens} tokens, {room} are left{kept}"
    else:
        reason = ""
    if piece.summary and piece.summary_tokens <= room:
        return Chosen(piece, "summary", piece.summary_tokens, reason and f"an outline instead: {reason}")
    return Chosen(
        piece, "left_out", 0, reason or f"about {piece.summary_tokens} tokens for an outline, {room} are left"
    )
