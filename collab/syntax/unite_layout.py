"""Lays out what stands between brackets as the sides did, and finds the order in which both sides kept it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")
LINE_LENGTHS: Final = (79, 88, 100, 120)
"""Line lengths that people commonly keep to; a file's is the smallest that nearly all of its lines fit in."""


class Layout(NamedTuple):
    """How the elements between two brackets are laid out: all on one line, one on each, or as many as fit."""

    style: str
    """``line``, ``each`` or ``fill``."""
    indent: str
    """Before each line of elements."""
    pad: str
    """Between a bracket and the elements, if all is on one line."""
    hangs: bool
    """Whether the closing bracket follows the last element on its line."""


def line_length(text: str) -> int:
    """How long lines of ``text`` may be, judged by those that it has."""
    lengths = sorted(map(len, text.splitlines())) or [0]
    usual = lengths[min(len(lengths) - 1, len(lengths) * 99 // 100)]
    return next((length for length in LINE_LENGTHS if usual <= length), usual)


def layout_of(inside: str, elements: Sequence[str]) -> Layout:
    """The layout of ``inside``, the text between two brackets, which has those elements."""
    rows = [line for line in inside.split("\n") if line.strip()]
    if "\n" not in inside:
        pad = inside[: len(inside) - len(inside.lstrip())] if elements else ""
        return Layout("line", "", pad, hangs=True)
    indented = [row for row in rows[0 if inside.lstrip(" \t").startswith("\n") else 1 :] if row.strip()]
    indent = re.match(r"[ \t]*", indented[0] if indented else "    ")
    style = "each" if len(rows) >= len(elements) and inside.lstrip(" \t").startswith("\n") else "fill"
    return Layout(style, indent[0] if indent else "", "", hangs=bool(inside.rpartition("\n")[2].strip()))


def widest(insides: Sequence[str], elements: Sequence[Sequence[str]]) -> Layout:
    """The layout of the side that uses more lines; the first side's if they are alike."""
    layouts = [layout_of(text, inner) for text, inner in zip(insides, elements, strict=True)]
    return max(layouts, key=lambda layout: ("line", "fill", "each").index(layout.style))


def lay_out(
    opening: str, elements: Sequence[str], closing: str, layout: Layout, *, comma: bool, before: int, length: int
) -> str | None:
    """The brackets with the elements between them; ``before`` is the column at which ``opening`` begins.

    None when the elements cannot be laid out like that.
    """
    margin = layout.indent[:-4] if layout.indent.startswith("    ") else layout.indent[:-1]
    if not elements:
        return opening + closing
    if layout.style == "line":
        made = opening + layout.pad + ", ".join(elements) + ("," if comma else "") + layout.pad + closing
        return made if before + len(made) <= length else None
    if layout.style == "each":
        rows = "".join(f"\n{layout.indent}{element}," for element in elements)
        return opening + (rows if comma else rows[:-1]) + ("" if layout.hangs else f"\n{margin}") + closing
    rows, width = "", length + 1
    for place, element in enumerate(elements):
        last = place == len(elements) - 1
        piece = element + ("," if comma or not last else "")
        if width + 1 + len(piece) + (len(closing) if last and layout.hangs else 0) > length:
            rows += f"\n{layout.indent}{piece}"
            width = len(layout.indent) + len(piece)
        else:
            rows += f" {piece}"
            width += 1 + len(piece)
    return opening + rows + ("" if layout.hangs else f"\n{margin}") + closing


def sorted_alike(
    merged: Sequence[T], sides: Sequence[Sequence[T]], by: Sequence[Callable[[T], object]], least: int
) -> list[T] | None:
    """``merged`` sorted as both sides are; None when they are not sorted alike, or too short to tell.

    ``by`` are the ways to sort that are looked for, the first that fits is taken.
    """
    if any(len(side) < least for side in sides):
        return None
    for key in by:
        if all(list(side) == sorted(side, key=key) for side in sides):  # type: ignore[arg-type]
            return sorted(merged, key=key)  # type: ignore[arg-type]
    return None


def by_kind(name: str) -> tuple[int, str, str]:
    """CONSTANTS, then Classes, then the rest, as import sorters do by default."""
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return rank, name.casefold(), name


def by_letters(name: str) -> tuple[str, str]:
    """Without regard to case."""
    return name.casefold(), name


def by_codes(name: str) -> str:
    """As the characters' numbers are."""
    return name
