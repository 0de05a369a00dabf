from __future__ import annotations

from itertools import pairwise
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from server.routes.splices import Splice, splices


def applied(text: str, changes: list[Splice]) -> str:
    for start, end, insert in sorted(changes, reverse=True):
        text = text[:start] + insert + text[end:]
    return text


TEXTS = st.lists(st.sampled_from(["a", "b", "foo bar", "\n", "\r\n", "  ", "😀", "é", "{", "\u2028"])).map("".join)


@given(TEXTS, TEXTS)
def test_the_changes_give_the_new_text_and_do_not_overlap(before: str, after: str) -> None:
    changes = splices(before, after)
    assert applied(before, changes) == after
    assert all(first[1] <= second[0] for first, second in pairwise(changes))


def test_equal_texts_need_no_change() -> None:
    assert splices("same\n", "same\n") == []


def test_one_changed_letter_is_one_change() -> None:
    assert splices("one\ntwo words\nthree\n", "one\ntwo worms\nthree\n") == [(11, 12, "m")]


def test_a_line_put_in_between_replaces_nothing() -> None:
    assert splices("a\nb\n", "a\nnew\nb\n") == [(2, 2, "new\n")]


def test_two_far_changes_stay_two() -> None:
    before = "".join(f"line {number}\n" for number in range(100))
    after = before.replace("line 3\n", "").replace("line 90\n", "line 90!\n")
    assert len(splices(before, after)) == 2


def test_repetitive_texts_are_compared_in_bounded_time() -> None:
    before, after = "x\n\n" * 50_000, "y\n\n" * 50_000
    began = perf_counter()
    changes = splices(before, after)
    assert perf_counter() - began < 5
    assert applied(before, changes) == after
