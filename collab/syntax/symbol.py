"""One definition in a text."""

from __future__ import annotations

from typing import NamedTuple


class Symbol(NamedTuple):
    """One definition. Offsets are code points."""

    kind: str
    """One of :data:`collab.syntax.languages.KINDS`."""
    name: str
    qualified: str
    """The name with the names of what it is inside of, joined by dots: ``Room.apply``."""
    parent: str
    """The qualified name of what it is inside of; empty at the top."""
    start: int
    """Its first code point; decorators are not counted."""
    end: int
    name_start: int
    name_end: int
