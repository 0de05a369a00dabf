from hypothesis import given
from hypothesis import strategies as st

from collab.merge.three.matching import Matching, map_offset, minimal

TEXT = st.text(alphabet="ab c\n.", max_size=40)


@given(TEXT, TEXT)
def test_the_changes_make_one_text_of_the_other(before: str, after: str) -> None:
    text = before
    for start, end, replacement in reversed(minimal(before, after)):
        text = text[:start] + replacement + text[end:]
    assert text == after


@given(TEXT, TEXT)
def test_places_keep_their_order_and_stay_in_the_text(before: str, after: str) -> None:
    matching = Matching(before, after)
    places = [matching.offset(at) for at in range(len(before) + 1)]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= len(after)


def test_only_the_letters_that_differ_change() -> None:
    assert minimal("let colour = red\n", "let color = red\n", 10) == [(18, 19, "")]


def test_a_place_goes_with_the_text_in_front_of_it() -> None:
    base, other = "one\ntwo\nthree\n", "zero\none\nthree\n"
    assert map_offset(base, other, 3) == 8
    assert map_offset(base, other, 9) == 10


def test_a_place_in_replaced_text_is_where_the_new_text_begins() -> None:
    assert map_offset("a brown dog", "a white dog", 4) == 2
