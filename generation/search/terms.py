"""Words of code and prose as the terms that they are found by.

An identifier is found as a whole and by its parts, whatever way it is written in: ``mergeSession``,
``MergeSession`` and ``merge_session`` share the terms of "merge session". English endings are cut off by a few
rules, after the idea of Harman's S stemmer (How effective is suffixing?, JASIS 1991), so that "handles" meets
"handling".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

WORD: Final = re.compile(r"[^\W\d]\w*|\d+")
"""An identifier, a word or a number."""
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_KNOWN: Final = 200_000
"""Words whose terms are remembered."""
_LONGEST: Final = 80
"""A longer word is no identifier but data, and is not found."""
STOPPED: Final = frozenset(
    (  # noqa: SIM905
        "a an and are as at be been but by can could do does for from had has have if in into is it its "
        "me my no nor not of on or our should so than that the their them then there these they this "
        "those to was we were what when where which while who will with would you your please "
    ).split()
)
"""Words of a question that tell nothing."""


class Terms:
    """Splits words, and remembers the frequent ones; for one thread at a time."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, word: str) -> tuple[str, ...]:
        """The terms of a word: of a compound the whole in small letters first, then its parts."""
        found = self._known.get(word)
        if found is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            found = self._known[word] = tuple(_split(word))
        return found

    def question(self, text: str) -> dict[str, float]:
        """The terms of a question with their weights: how often each occurs, with the whole of a compound too."""
        weights: dict[str, float] = {}
        for word in WORD.findall(text):
            if word.lower() in STOPPED:
                continue
            for term in self.of(word):
                weights[term] = weights.get(term, 0.0) + 1.0
        return weights


def stem(word: str) -> str:
    """A word in small letters without its English ending."""
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word


def parts(word: str) -> list[str]:
    """The parts of an identifier, in small letters: ``parseHTTPReply2`` is parse, http, reply, 2."""
    return [part.lower() for part in _PART.findall(word)]


def _split(word: str) -> Iterator[str]:
    if len(word) > _LONGEST:
        return
    pieces = parts(word)
    if len(pieces) > 1:
        yield word.strip("_").lower()
        seen = set()
        for piece in pieces:
            if piece not in seen:
                seen.add(piece)
                yield stem(piece)
    elif pieces:
        yield stem(pieces[0])
