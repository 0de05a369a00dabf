"""One side's change that holds all of the other side's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from collab.merge.three.lines import diff, split
from collab.merge.three.tokens import is_word, tokens

LEAST_SHARE: Final = 8
"""What one side put in is at least one part in so many of what the other did, or it may stand there by chance."""


def containing(base: str, ours: str, theirs: str) -> Iterator[str]:
    """The side that has made the other side's change too, and went on from there; both if only layout differs.

    White space apart, everything that the lesser side put in stands in the greater one, in the same order, and
    nothing that the lesser side took out is back: no word, and no sign such as a closing brace.
    """
    b, o, t = _signs(base), _signs(ours), _signs(theirs)
    if o == t:
        yield ours
        yield theirs
        return
    # Two that seem to hold each other have the same words, with signs or an order of their own: neither goes on.
    mine, yours = _holds(b, o, t), _holds(b, t, o)
    if mine != yours:
        yield ours if mine else theirs


def over_blanks(base: str, ours: str, theirs: str) -> Iterator[str]:
    """The side that changed words, when all that the other did was to blanks at the ends of lines."""
    was, one, other = ([line.rstrip() for line in split(text)] for text in (base, ours, theirs))
    if other == was:
        yield ours
    elif one == was:
        yield theirs


def _signs(text: str) -> list[str]:
    return [token for token in tokens(text) if not token.isspace()]


def _holds(base: Sequence[str], greater: Sequence[str], lesser: Sequence[str]) -> bool:
    was, less, more = Counter(base), Counter(lesser), Counter(greater)
    if any(count > was[token] and count > more[token] for token, count in less.items() if is_word(token)):
        return False
    added = [index for _, _, j0, j1 in diff(base, lesser) for index in range(j0, j1)]
    if not any(is_word(lesser[index]) for index in added):
        return False
    if len(added) * LEAST_SHARE < len(greater) - len(base):
        return False
    lost = {index for i0, i1, _, _ in diff(lesser, greater) for index in range(i0, i1)}
    if not lost.isdisjoint(added):
        return False
    return not any(less[token] < count and more[token] > less[token] for token, count in was.items())
