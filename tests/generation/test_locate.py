from __future__ import annotations

import pytest

from generation.locate import NoPlace, Place, locate

BASE = "a\nb\nc\nb\nd\n"


def test_lines_that_are_there_once_are_found() -> None:
    assert locate(BASE, "c\n") == Place(4, 6)


def test_several_lines_make_a_place_unique() -> None:
    assert locate(BASE, "b\nd\n") == Place(6, 10)


@pytest.mark.parametrize(("search", "words"), [("b\n", "2 times"), ("x\n", "not in"), ("", "does not say")])
def test_a_place_that_is_not_certain_is_none(search: str, words: str) -> None:
    found = locate(BASE, search)
    assert isinstance(found, NoPlace)
    assert words in found.reason


def test_part_of_a_line_is_no_place() -> None:
    assert isinstance(locate("abc\n", "b\n"), NoPlace)


def test_spaces_at_line_ends_may_differ_if_nothing_matches_exactly() -> None:
    assert locate("a  \nb\n", "a\n") == Place(0, 4)
    assert locate("a  \na\n", "a\n") == Place(4, 6)


def test_indentation_must_be_the_same() -> None:
    assert isinstance(locate("  a\n", "a\n"), NoPlace)


def test_windows_line_ends_are_kept() -> None:
    assert locate("a\r\nb\r\n", "b\n") == Place(3, 6, "\r\n")


def test_a_last_line_without_a_newline_is_found_and_told() -> None:
    assert locate("a\nb", "b\n") == Place(2, 3, "\n", ended=False)


def test_an_empty_file_is_replaced_by_an_empty_search() -> None:
    assert locate("", "") == Place(0, 0)


def test_offsets_are_code_points() -> None:
    assert locate("é👍\nb\n", "b\n") == Place(3, 5)
