"""Finds the lines that a hunk means. A place that is not certain is no place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ENOUGH: Final = 16
"""Characters of a single line that make it one that does not stand somewhere else by chance."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whole lines of the base: code points from ``start`` to ``end``.

    ``newline`` is how lines end there, ``ended`` whether the last one has a newline.
    """

    start: int
    end: int
    newline: str = "\n"
    ended: bool = True


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why there is no certain place, in words for the room. ``missing``: there is nothing like it."""

    reason: str
    missing: bool = False


def locate(base: str, search: str) -> Place | NoPlace:
    """Where the lines of ``search`` stand in ``base``.

    They must be there exactly once. Spaces at line ends, and the kind of newline, may differ, if nothing
    matches exactly.
    """
    if not search:
        if base:
            return NoPlace("It does not say which lines of the file it replaces.")
        return Place(0, 0)
    lines = lines_of(base)
    wanted = search.split("\n")[:-1] if search.endswith("\n") else search.split("\n")
    found = _occurrences([line.rstrip("\n").removesuffix("\r") for line in lines], wanted)
    if not found:
        found = _occurrences([line.rstrip() for line in lines], [line.rstrip() for line in wanted])
    if not found:
        return NoPlace("The lines that it replaces are not in the file.", missing=True)
    if len(found) > 1:
        return NoPlace(f"The lines that it replaces are in the file {len(found)} times.")
    first, last = found[0], found[0] + len(wanted)
    start = sum(map(len, lines[:first]))
    text = "".join(lines[first:last])
    return Place(start, start + len(text), newline_of(text), text.endswith("\n"))


def newline_of(text: str) -> str:
    """How the lines of a text end, for the most part."""
    crlf = text.count("\r\n")
    return "\r\n" if crlf * 2 > text.count("\n") else "\n"


def stands(base: str, text: str) -> bool:
    """Whether a replacement stands in the base once, while the lines that it is for do not: it is made already.

    A few short lines may stand anywhere by chance, so they do not count.
    """
    wanted = text.removesuffix("\n").split("\n")
    said = [line for line in wanted if line.strip()]
    if not said or (len(said) < 2 and len(said[0].strip()) < ENOUGH):
        return False
    lines = [line.rstrip() for line in lines_of(base)]
    return len(_occurrences(lines, [line.rstrip() for line in wanted])) == 1


def lines_of(text: str) -> list[str]:
    """The lines of a text with their line ends, which are newlines."""
    parts = text.split("\n")
    lines = [part + "\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _occurrences(lines: list[str], wanted: list[str]) -> list[int]:
    first = wanted[0]
    return [
        index
        for index in range(len(lines) - len(wanted) + 1)
        if lines[index] == first and lines[index : index + len(wanted)] == wanted
    ]
