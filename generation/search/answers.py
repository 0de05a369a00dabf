"""What a search brings, as the room sees it; the field names are those of the messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_QUESTION: Final = 1_000
"""Characters of a question."""
MOST_HITS: Final = 50


@dataclass(frozen=True, slots=True)
class SearchLine:
    """A line that answers: its number, 1 and up, and its text without the white space around it."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A file that answers. ``score`` goes from 0 to 1 and orders the hits."""

    file: str
    path: str
    score: float
    why: str
    lines: tuple[SearchLine, ...]


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The hits, the best first. ``indexed`` of the room's ``files`` were read when they were looked for.

    ``semantic`` says whether files were compared by meaning too, and not by words and references alone; ``note``
    what else there is to know.
    """

    hits: tuple[SearchHit, ...]
    files: int
    indexed: int
    semantic: bool
    note: str = ""
