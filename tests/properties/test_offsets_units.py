"""Offsets: the same as encoding what is before a place, for every kind of character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.document import Document
from collab.errors import InvalidOperation
from collab.ids import ClientId
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
from collab.offsets import places as ascending
from tests.collab.replicas import FILE

LETTERS = [
    "a",
    "z",
    "\n",
    "\r",
    "é",
    "ß",
    "€",
    "日",
    "👋",
    "👩\u200d👧",
    "e\u0301",
    "\u0301",
    "\ufeff",
    "\U0010ffff",
    "\0",
]
ENCODABLE = st.lists(st.sampled_from(LETTERS), max_size=30).map("".join)
LONE = st.lists(st.sampled_from([*LETTERS, "\ud800", "\udfff"]), max_size=20).map("".join)


@st.composite
def places(draw: st.DrawFn, texts: st.SearchStrategy[str] = ENCODABLE) -> tuple[str, int]:
    text = draw(texts)
    return text, draw(st.integers(0, len(text)))


@given(places())
def test_offsets_are_the_lengths_of_what_is_before(place: tuple[str, int]) -> None:
    text, index = place
    assert to_utf8(text, index) == len(text[:index].encode())
    assert to_utf16(text, index) == len(text[:index].encode("utf-16-le")) // 2


@given(places())
def test_every_place_is_found_again(place: tuple[str, int]) -> None:
    text, index = place
    assert from_utf8(text, to_utf8(text, index)) == index
    assert from_utf16(text, to_utf16(text, index)) == index
    assert from_line_column(text, to_line_column(text, index)) == index


@given(ENCODABLE, st.lists(st.integers(0, 30)))
def test_many_places_are_told_in_one_pass(text: str, indexes: list[int]) -> None:
    some = sorted(index for index in indexes if index <= len(text))
    found = list(ascending(text, some))
    assert [units for _, _, units in found] == [to_utf16(text, index) for index in some]
    assert [LineColumn(line, column) for line, column, _ in found] == [to_line_column(text, at) for at in some]
    with pytest.raises(InvalidOperation):
        list(ascending(text, [len(text) + 1]))


@given(ENCODABLE, st.integers(-3, 130))
def test_any_other_offset_is_refused(text: str, offset: int) -> None:
    for back, there in ((from_utf8, to_utf8), (from_utf16, to_utf16)):
        valid = {there(text, index): index for index in range(len(text) + 1)}
        if offset in valid:
            assert back(text, offset) == valid[offset]
        else:
            with pytest.raises(InvalidOperation):
                back(text, offset)


@given(places(LONE))
def test_unpaired_surrogates_never_raise_anything_unexpected(place: tuple[str, int]) -> None:
    text, index = place
    assert from_utf8(text, to_utf8(text, index)) == index
    try:
        assert from_utf16(text, to_utf16(text, index)) <= len(text)
    except InvalidOperation as error:
        assert "two halves" in error.message  # noqa: PT017 - only two lone halves in a row make a pair
    assert utf8_length(text) == len(text.encode("utf-8", "surrogatepass"))
    assert utf16_length(text) == sum(2 if ord(char) > 0xFFFF else 1 for char in text)


@given(ENCODABLE, st.integers(-2, 40), st.integers(-2, 200))
def test_a_line_and_column_is_a_place_or_refused(text: str, line: int, character: int) -> None:
    try:
        index = from_line_column(text, LineColumn(line, character))
    except InvalidOperation:
        return
    found = to_line_column(text, index)
    assert found.line == line
    assert found.character <= character


@given(ENCODABLE, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5), ENCODABLE), max_size=6))
def test_a_document_counts_like_python_and_its_anchors_hold(
    text: str, changes: list[tuple[int, int, str]]
) -> None:
    text = text.replace("\0", "")
    document = Document(ClientId(7))
    document.edit(lambda editor: editor.create(FILE, "a.txt", text))
    expected = text
    for start, length, insert in changes:
        start = min(start, len(expected))
        end = min(start + length, len(expected))
        document.edit(lambda editor, s=start, e=end, i=insert: editor.splice(FILE, s, e, i))  # type: ignore[misc]
        expected = expected[:start] + insert + expected[end:]
    assert document.text(FILE) == expected
    anchors = [document.anchor(FILE, index) for index in range(len(expected) + 1)]
    assert [document.resolve(FILE, anchor) for anchor in anchors] == list(range(len(expected) + 1))
