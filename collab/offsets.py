"""The only place that converts between offsets of different units.

pycrdt counts UTF-8 bytes, Python counts code points, browsers and Yjs count UTF-16 units, and the wire
uses UTF-16 line and character pairs, as the Language Server Protocol does. Pure code uses code points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from collab.errors import InvalidOperation


def utf8_length(text: str) -> int:
    """Length in UTF-8 bytes. An unpaired surrogate counts three, as ``surrogatepass`` encodes it."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def utf16_length(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def to_utf8(text: str, index: int) -> int:
    """UTF-8 offset of the code point ``index`` of ``text``. Raises InvalidOperation if it is outside."""
    _check(index, len(text))
    return index if text.isascii() else len(text[:index].encode("utf-8", "surrogatepass"))


def to_utf16(text: str, index: int) -> int:
    """UTF-16 offset of the code point ``index`` of ``text``. Raises InvalidOperation if it is outside."""
    _check(index, len(text))
    return index if text.isascii() else len(text[:index].encode("utf-16-le", "surrogatepass")) // 2


def from_utf8(text: str, offset: int) -> int:
    """Code point index of the UTF-8 ``offset``; raises InvalidOperation outside or inside a character."""
    if text.isascii():
        _check(offset, len(text))
        return offset
    data = text.encode("utf-8", "surrogatepass")
    _check(offset, len(data))
    try:
        return len(data[:offset].decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        raise InvalidOperation(f"Offset {offset} is inside a character; move it to a boundary.") from None


def from_utf16(text: str, offset: int) -> int:
    """Code point index of the UTF-16 ``offset``; raises InvalidOperation outside or inside a character."""
    if text.isascii():
        _check(offset, len(text))
        return offset
    data = text.encode("utf-16-le", "surrogatepass")
    _check(offset * 2, len(data))
    head = data[: offset * 2]
    if 0 < offset * 2 < len(data) and _is_high(head[-2:]) and _is_low(data[offset * 2 : offset * 2 + 2]):
        raise InvalidOperation(f"Offset {offset} is between the two halves of a character; move it to a boundary.")
    return len(head.decode("utf-16-le", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class LineColumn:
    """A place in a text: line and UTF-16 units in it, both from 0."""

    line: int
    character: int


def to_line_column(text: str, index: int) -> LineColumn:
    """The line and UTF-16 column of the code point ``index``. Lines end with ``\\n`` only."""
    _check(index, len(text))
    start = text.rfind("\n", 0, index) + 1
    return LineColumn(text.count("\n", 0, index), utf16_length(text[start:index]))


def places(text: str, indexes: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """For code point indexes that ascend: line, UTF-16 column and UTF-16 offset of each, in one pass.

    Raises InvalidOperation if one is outside.
    """
    at = line = units = line_units = 0
    for index in indexes:
        _check(index, len(text))
        piece = text[at:index]
        at = index
        units += utf16_length(piece)
        newline = piece.rfind("\n")
        if newline >= 0:
            line += piece.count("\n")
            line_units = units - utf16_length(piece[newline + 1 :])
        yield line, units - line_units, units


def from_line_column(text: str, place: LineColumn) -> int:
    """Code point index of a line and UTF-16 column; a column after the line's end is its end, as in LSP.

    Raises InvalidOperation for a line that is not there or a column inside a character.
    """
    if place.line < 0:
        raise InvalidOperation(f"Line {place.line} is before the start; lines count from 0.", field="position")
    start = 0
    for _ in range(place.line):
        newline = text.find("\n", start)
        if newline < 0:
            raise InvalidOperation(
                f"Line {place.line} is after the end; the text has {text.count(chr(10)) + 1} lines.",
                field="position",
            )
        start = newline + 1
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)]
    return start + from_utf16(line, min(place.character, utf16_length(line)))


def _check(offset: int, length: int) -> None:
    if not 0 <= offset <= length:
        raise InvalidOperation(f"Offset {offset} is outside of the text, whose length is {length}.")


def _is_high(unit: bytes) -> bool:
    return 0xD8 <= unit[1] <= 0xDB


def _is_low(unit: bytes) -> bool:
    return 0xDC <= unit[1] <= 0xDF
