"""Offsets of four kinds, with characters of every width."""

from __future__ import annotations

import pytest

from collab.errors import InvalidOperation
from collab.offsets import (
    LineColumn,
    from_line_column,
    from_utf8,
    from_utf16,
    to_line_column,
    to_utf8,
    to_utf16,
    utf8_length,
    utf16_length,
)

TEXT = "aé€👋e\u0301z"  # 1, 2, 3, 4 bytes, a combining mark of 2, 1.


@pytest.mark.parametrize(
    ("index", "utf8", "utf16"),
    [(0, 0, 0), (1, 1, 1), (2, 3, 2), (3, 6, 3), (4, 10, 5), (5, 11, 6), (6, 13, 7), (7, 14, 8)],
)
def test_every_place_has_one_offset_of_each_kind(index: int, utf8: int, utf16: int) -> None:
    assert to_utf8(TEXT, index) == utf8
    assert from_utf8(TEXT, utf8) == index
    assert to_utf16(TEXT, index) == utf16
    assert from_utf16(TEXT, utf16) == index


def test_lengths_count_units() -> None:
    assert (utf8_length(TEXT), utf16_length(TEXT)) == (14, 8)
    assert (utf8_length("abc"), utf16_length("abc")) == (3, 3)


@pytest.mark.parametrize("offset", [2, 4, 5, 7, 8, 9, 12])
def test_a_byte_offset_inside_a_character_is_refused(offset: int) -> None:
    with pytest.raises(InvalidOperation, match="inside a character"):
        from_utf8(TEXT, offset)


def test_an_offset_between_the_halves_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidOperation, match="two halves"):
        from_utf16(TEXT, 4)


@pytest.mark.parametrize("convert", [to_utf8, to_utf16, from_utf8, from_utf16, to_line_column])
@pytest.mark.parametrize("text", ["abc", "aé👋"])
@pytest.mark.parametrize("offset", [-1, 100])
def test_an_offset_outside_of_the_text_is_refused(convert: object, text: str, offset: int) -> None:
    assert callable(convert)
    with pytest.raises(InvalidOperation, match="outside"):
        convert(text, offset)


def test_an_unpaired_surrogate_counts_as_one_unit_and_three_bytes() -> None:
    assert (utf8_length("\ud800"), utf16_length("\ud800")) == (3, 1)
    assert from_utf16("a\ud800b", 2) == 2


@pytest.mark.parametrize(
    ("index", "place"),
    [(0, (0, 0)), (2, (0, 3)), (3, (1, 0)), (4, (1, 1)), (5, (1, 2)), (6, (2, 0))],
)
def test_lines_and_columns_count_utf16_units(index: int, place: tuple[int, int]) -> None:
    text = "a👋\nbc\n"
    assert to_line_column(text, index) == LineColumn(*place)
    assert from_line_column(text, LineColumn(*place)) == index


def test_a_column_after_the_end_of_its_line_is_the_end() -> None:
    assert from_line_column("ab\ncd", LineColumn(0, 99)) == 2
    assert from_line_column("ab\ncd", LineColumn(1, 99)) == 5


def test_only_a_line_feed_ends_a_line() -> None:
    assert to_line_column("a\r\u2028b\nc", 4) == LineColumn(0, 4)


def test_a_line_after_the_last_is_refused_and_counted() -> None:
    with pytest.raises(InvalidOperation, match="2 lines"):
        from_line_column("ab\ncd", LineColumn(2, 0))


@pytest.mark.parametrize("place", [LineColumn(-1, 0), LineColumn(0, -1)])
def test_a_negative_place_is_refused(place: LineColumn) -> None:
    with pytest.raises(InvalidOperation):
        from_line_column("ab\ncd", place)


def test_a_column_inside_a_character_is_refused() -> None:
    with pytest.raises(InvalidOperation, match="two halves"):
        from_line_column("x\n👋", LineColumn(1, 1))
