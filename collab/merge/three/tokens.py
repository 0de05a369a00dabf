"""Three-way merge of words and signs inside lines that both sides changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from collab.merge.three.chunks import Who, chunks
from collab.merge.three.lines import Hunk, diff

_TOKEN: Final = re.compile(r"\d+(?:\.\w+)+|\w+|\n|[^\S\n]+|[^\w\s]")
LARGEST: Final = 6_000
"""Tokens of one side from which on a region is not looked at: nobody could follow such a merge."""

PARTING: Final = frozenset("()[]{},;=")
"""Signs between two changes that keep them apart; others bind words into one name or path."""


def tokens(text: str) -> list[str]:
    """``text`` cut into words, numbers (a version is one), line feeds, other white space, and single signs."""
    return _TOKEN.findall(text)


def is_word(token: str) -> bool:
    """Whether a token is a word or a number."""
    return token[0].isalnum() or token[0] == "_"


def words(text: str) -> Counter[str]:
    """How often ``text`` has each word."""
    return Counter(filter(is_word, tokens(text)))


def merge_tokens(base: str, ours: str, theirs: str) -> str | None:
    """The region with both sides' changes of words, or None if some of them meet."""
    b, o, t = tokens(base), tokens(ours), tokens(theirs)
    if max(len(b), len(o), len(t)) > LARGEST:
        return None
    to_ours, to_theirs = _tidy(diff(b, o), b), _tidy(diff(b, t), b)
    merged: list[str] = []
    last: Who = "same"
    for who, b0, b1, o0, o1, t0, t1 in chunks(to_ours, to_theirs, len(b)):
        new = t[t0:t1] if who == "theirs" else o[o0:o1]
        if (who == "both" and new != t[t0:t1]) or (who != last and {who, last} == {"ours", "theirs"}):
            return None
        if who != "same":
            # What ends with a line end is apart from all that follows.
            last = "same" if (new or b[b0:b1])[-1] == "\n" else who
        elif any(is_word(sign) or sign.isspace() or sign in PARTING for sign in new):
            last = "same"
        merged += new
    return "".join(merged)


def _tidy(hunks: Sequence[Hunk], base: Sequence[str]) -> list[Hunk]:
    """Joins hunks between which no word and no line end was kept: what stayed there stayed by chance."""
    tidy: list[Hunk] = []
    for hunk in hunks:
        if tidy and not any(is_word(sign) or sign == "\n" for sign in base[tidy[-1][1] : hunk[0]]):
            last = tidy.pop()
            hunk = last[0], hunk[1], last[2], hunk[3]
        tidy.append(hunk)
    return tidy
