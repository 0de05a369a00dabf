"""Runs the syntax layer of a merge on a region that is given by its three contents."""

from __future__ import annotations

from collections.abc import Callable

from collab.syntax.syntax import Syntax


def united(
    path: str,
    base: str,
    ours: str,
    theirs: str,
    *,
    before: str = "",
    after: str = "",
    inside: Callable[[str, str, str], str | None] | None = None,
) -> str | None:
    """What the region becomes between ``before`` and ``after``, which are the same in all three texts."""
    start = len(before)
    spans = (start, start + len(base)), (start, start + len(ours)), (start, start + len(theirs))
    whole = (before + base + after, before + ours + after, before + theirs + after)
    return Syntax().unite(path, *whole, spans, inside)
