"""What of large texts must be parsed: the paragraphs at the left margin in which they differ.

A paragraph begins at a line that is not indented, behind a blank one, and reaches to the next such line. In the
languages of :data:`FREE_STANDING` that is some whole statements of the top level, so that a text made of a few
paragraphs says of them what the whole text does. Where it does not (a blank line within a long string, code of a
namespace at the left margin), the excerpt has errors that the text has not, and the caller parses that.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

Span = tuple[int, int]
Texts = tuple[str, str, str]
Spans = tuple[Span, Span, Span]
LARGE: Final = 60_000
"""Code points from which on a text is large."""
FREE_STANDING: Final = frozenset({"python", "javascript", "typescript", "tsx", "go", "rust", "c", "cpp", "css"})
"""Languages, by name, whose files are a series of statements."""
AROUND: Final = 3
"""Paragraphs that nobody changed, at either side of a region, which may say something about it."""
_BREAK: Final = re.compile(r"\n[ \t\r]*\n(?=[^\s)\]}])")
"""The end of a line, and the blank one before a paragraph."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some paragraphs of a text, one behind the other."""

    text: str
    starts: tuple[int, ...]
    """Where each begins in ``text``."""
    places: tuple[int, ...]
    """Where each begins in the whole text."""

    def place(self, at: int) -> int:
        """Where an offset of the excerpt is in the whole text."""
        index = bisect_right(self.starts, at) - 1
        return self.places[index] + at - self.starts[index]


def differing(base: str, live: str) -> tuple[Excerpt, Excerpt] | None:
    """The paragraphs of each text that the other does not have; None where some stand in another order."""
    one, other = _paragraphs(base), _paragraphs(live)
    in_one, in_other = (Counter(text for _, text in some) for some in (one, other))
    shared = {text for text, count in in_one.items() if count == 1 and in_other[text] == 1}
    places = {text: place for place, (_, text) in enumerate(other) if text in shared}
    order = [places[text] for _, text in one if text in shared]
    if any(first > second for first, second in pairwise(order)):
        return None
    return _excerpt(one, shared), _excerpt(other, shared)


class Common:
    """The paragraphs that base, ours and theirs have in common, by which they can be cut alike."""

    def __init__(self, texts: Texts) -> None:
        cut = [_paragraphs(text) for text in texts]
        counts = [Counter(text for _, text in some) for some in cut]
        shared = [text for _, text in cut[0] if all(count[text] == 1 for count in counts)]
        places = [{text: start for start, text in some} for some in cut]
        starts = [[of[text] for text in shared] for of in places]
        self._texts = texts
        self._sizes = [len(text) for text in shared]
        # Where some stand in another order, nothing is to be had so.
        self._starts = [] if any(a > b for of in starts for a, b in pairwise(of)) else starts

    def around(self, spans: Spans) -> tuple[Texts, Spans] | None:
        """The texts cut down to a region and some paragraphs around it, and where the region is in these.

        None where they cannot be cut alike.
        """
        if not self._starts:
            return None
        first = [bisect_left(of, start) for of, (start, _) in zip(self._starts, spans, strict=True)]
        last = [bisect_left(of, end) for of, (_, end) in zip(self._starts, spans, strict=True)]
        # The last that ends before the region in all three, and the first that begins behind it.
        before, behind = min(first) - AROUND, max(last) + AROUND
        while before >= 0 and any(
            of[before] + self._sizes[before] > start for of, (start, _) in zip(self._starts, spans, strict=True)
        ):
            before -= 1
        cut, moved = [], []
        for text, of, (start, end) in zip(self._texts, self._starts, spans, strict=True):
            begin = of[before] if before >= 0 else 0
            stop = of[behind] if behind < len(of) else len(text)
            cut.append(text[begin:stop])
            moved.append((start - begin, end - begin))
        return (cut[0], cut[1], cut[2]), (moved[0], moved[1], moved[2])


def rewritten(text: str, changes: Sequence[tuple[int, int, str]]) -> str:
    """The paragraphs in which changes (ascending, apart from each other) are, with the changes made."""
    breaks = [(found.start() + 1, found.end()) for found in _BREAK.finditer(text)]
    ends, blanks = [end for _, end in breaks], [start for start, _ in breaks]
    out: list[str] = []
    at = done = 0
    for start, end, new in changes:
        first = bisect_left(ends, start)
        # A change at the very start of a paragraph may join it to the one before.
        begin = ends[first - 1] if first else 0
        if begin > done or not out:
            out.append(text[at:done] if out else "")
            at = begin
        out += [text[at:start], new]
        at = end
        last = bisect_left(blanks, end)
        done = ends[last] if last < len(ends) else len(text)
    return "".join([*out, text[at:done]])


def _paragraphs(text: str) -> list[tuple[int, str]]:
    cuts = [0, *(found.end() for found in _BREAK.finditer(text)), len(text)]
    return [(start, text[start:end]) for start, end in pairwise(cuts) if end > start]


def _excerpt(paragraphs: Sequence[tuple[int, str]], without: set[str]) -> Excerpt:
    places, starts, texts = [0], [0], [""]
    at = 0
    for place, text in paragraphs:
        if text not in without:
            places.append(place)
            starts.append(at)
            texts.append(text)
            at += len(text)
    return Excerpt("".join(texts), tuple(starts), tuple(places))
