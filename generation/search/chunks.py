"""Cuts a text into the pieces that are compared by meaning: whole definitions or paragraphs where they fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

CHARACTERS: Final = 1_600
"""About 400 tokens, which every embedding model takes."""
MOST: Final = 24
"""Chunks of one file; what comes later in a longer one is not compared."""
_BREAK: Final = re.compile(r"\n(?=\S)")
"""Before a line at the left margin: where a definition or a paragraph begins."""


def chunks(path: str, text: str) -> Iterator[str]:
    """The chunks of a file, each with its path at the top, which says much of what it is about."""
    room = CHARACTERS - len(path) - 1
    if room < CHARACTERS // 4:
        path, room = path[-CHARACTERS // 2 :], CHARACTERS // 2 - 1
    held = ""
    made = 0
    for part in _parts(text[: MOST * CHARACTERS], room):
        if held and len(held) + len(part) > room:
            yield f"{path}\n{held}"
            made += 1
            held = ""
            if made >= MOST:
                return
        held += part
    if held.strip() and made < MOST:
        yield f"{path}\n{held}"


def _parts(text: str, most: int) -> Iterator[str]:
    start = 0
    for found in [*(match.end() for match in _BREAK.finditer(text)), len(text)]:
        while found - start > most:
            cut = text.rfind("\n", start + 1, start + most) + 1 or start + most
            yield text[start:cut]
            start = cut
        if found > start:
            yield text[start:found]
            start = found
