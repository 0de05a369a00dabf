from __future__ import annotations

from generation.search.snippets import LONGEST, Line, lines
from generation.search.terms import Terms

TEXT = (
    "import os\n\n\ndef count_stock(shop):\n    # Count what the shop has in stock.\n    return len(shop.stock)\n"
)


def answers(question: str, text: str = TEXT, most: int = 3) -> list[Line]:
    return lines(text, Terms().question(question), most)


def test_the_lines_with_most_of_the_words_are_told_in_their_order() -> None:
    assert [line.line for line in answers("count the stock", most=2)] == [4, 5]
    assert answers("count the stock")[0].text == "def count_stock(shop):"


def test_case_and_endings_do_not_matter() -> None:
    assert answers("COUNTING", most=1) == [Line(4, "def count_stock(shop):")]


def test_what_is_not_there_has_no_lines() -> None:
    assert answers("quaternion") == []
    assert answers("x", "") == []


def test_letters_that_grow_when_they_are_made_small_move_no_line() -> None:
    assert answers("here", "\u0130\u0130\u0130\nhere\n") == [Line(2, "here")]


def test_a_long_line_is_cut() -> None:
    assert len(answers("here", "here " + "x" * 10_000)[0].text) == LONGEST
