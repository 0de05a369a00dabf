"""What is known of one file for finding it: its words, the names that it defines, and those that it uses.

Definitions are read line by line with one expression for all languages: an index of thousands of files has no time
to parse each. What a person or a model is shown of a file comes from its syntax tree (``generation.context``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

from generation.search.terms import WORD, Terms

MOST_CHARACTERS: Final = 400_000
"""So much of a file is read; what comes later in a longer one is not found."""
SLICE: Final = 16_384
"""Characters that are read at once; about two milliseconds' work."""
HEAD: Final = 600
"""The first characters of a file, which mostly say what it is for."""

_DEFINES: Final = re.compile(
    r"^[ \t]*(?:@\w+[ \t]+)*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async"
    r"|unsafe|extern|inline|pub(?:\([a-z]+\))?|const|declare|open|override|virtual)[ \t]+)*"
    r"(?:def|class|function\*?|func|fn|struct|interface|type|enum|trait|impl|module|namespace|macro_rules!|union"
    r"|record|const|let|var|typedef|#[ \t]*define)[ \t]+(?:\([^)\n]*\)[ \t]*)?([A-Za-z_]\w*)"
    r"|^([A-Za-z]\w*)[ \t]*(?::[^=\n]{1,80})?=[^=]"
    # A function of the family of C: perhaps a type, a name, brackets, and the body on this line or the next.
    r"|^[ \t]{0,4}(?:[A-Za-z_][\w \t*&:<>,]{0,80}[ \t*&])?([A-Za-z_]\w*)\([^;{}=]{0,400}\)[^;{}=()]{0,60}\{"
    r"|^#{1,6}[ \t]+([^\n]{1,120})$",
    re.MULTILINE,
)
_NO_NAMES: Final = frozenset(
    (  # noqa: SIM905
        "if for while switch return else catch elif except with sizeof do case new in"
    ).split()
)


@dataclass(slots=True)
class Facts:
    """One file. Counters count terms (``generation.search.terms``); ``defines`` and ``uses`` hold names as
    written.
    """

    path: str
    body: Counter[str] = field(default_factory=Counter)
    symbols: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    """The terms of its path."""
    head: Counter[str] = field(default_factory=Counter)
    """The terms of how it begins."""
    defines: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)


def read(path: str, text: str, terms: Terms) -> Generator[None, None, Facts]:
    """The facts of a file, in steps of a few milliseconds."""
    facts = Facts(path)
    for word in WORD.findall(path):
        facts.places.update(terms.of(word))
    words: Counter[str] = Counter()
    end = min(len(text), MOST_CHARACTERS)
    start = 0
    while start < end:
        stop = _line_end(text, min(start + SLICE, end), end)
        some = Counter(WORD.findall(text, start, stop))
        _count(facts.body, some, terms)
        words.update(some)
        for found in _DEFINES.finditer(text, start, stop):
            _define(facts, found, terms)
        start = stop
        if start < end:
            yield
    _count(facts.head, Counter(WORD.findall(text, 0, min(HEAD, end))), terms)
    facts.uses = {word for word in words if len(word) > 2} - facts.defines
    return facts


def _define(facts: Facts, found: re.Match[str], terms: Terms) -> None:
    heading = found[4]
    if heading is not None:
        for word in WORD.findall(heading):
            facts.symbols.update(terms.of(word))
        return
    name = found[1] or found[2] or found[3]
    if name in _NO_NAMES or len(name) < 2:
        return
    facts.symbols.update(terms.of(name))
    facts.defines.add(name)


def _count(into: Counter[str], words: Counter[str], terms: Terms) -> None:
    counts: dict[str, int] = into
    get = counts.get
    for word, count in words.items():
        for term in terms.of(word):
            counts[term] = get(term, 0) + count


def _line_end(text: str, at: int, end: int) -> int:
    """The end of the line at ``at``, if it is not far."""
    if at >= end:
        return end
    found = text.find("\n", at, min(at + SLICE, end))
    return found + 1 if found >= 0 else at
