"""Differences of texts: what they make, how they are stored, and that damage is noticed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.errors import StoreCorrupt
from collab.history.delta import (
    apply,
    compose,
    decode_delta,
    decode_text,
    difference,
    encode_delta,
    encode_text,
    folded,
)

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "xyz\n", "\n", "å𝄞\n", "no end"]), max_size=12).map("".join)


@given(TEXTS, TEXTS)
def test_a_difference_makes_the_new_text(old: str, new: str) -> None:
    assert apply(old, difference(old, new)) == new


@given(TEXTS, TEXTS, TEXTS)
def test_two_differences_put_together_do_what_both_do(one: str, two: str, three: str) -> None:
    both = compose(difference(one, two), difference(two, three))
    assert apply(one, both) == three


@given(TEXTS, TEXTS)
def test_a_difference_is_stored_and_read_back(old: str, new: str) -> None:
    delta = difference(old, new)
    assert decode_delta(encode_delta(delta)) == delta


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_is_stored_and_read_back(text: str) -> None:
    assert decode_text(encode_text(text)) == text


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_stored_differences_fold_to_the_last_text(texts: list[str]) -> None:
    deltas = [encode_delta(difference(a, b)) for a, b in pairwise(texts)]
    assert folded(encode_text(texts[0]), deltas) == texts[-1]


def test_a_small_change_in_a_large_text_takes_few_bytes() -> None:
    old = "".join(f"line {number} of the text\n" for number in range(10_000))
    new = old.replace("line 5000 of", "line 5000 in")
    assert len(encode_delta(difference(old, new))) < 20


def test_a_difference_of_another_text_is_refused() -> None:
    with pytest.raises(StoreCorrupt, match="with 3 characters, not of one with 4"):
        apply("four", difference("abc", "abd"))


def test_differences_that_do_not_follow_each_other_are_refused() -> None:
    with pytest.raises(StoreCorrupt, match="do not follow"):
        compose(difference("abc", "abcd"), difference("abc", "x"))


@pytest.mark.parametrize("data", [b"", b"\2", b"\0\x03", b"\0\x00", b"\0\x12a", b"\1nothing", b"\0\xff"])
def test_damaged_differences_are_refused(data: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        decode_delta(data)


def test_a_deflated_text_that_is_cut_off_is_refused() -> None:
    with pytest.raises(StoreCorrupt, match="cut off"):
        decode_text(encode_text("abc" * 1000)[:-5])


def test_a_text_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(StoreCorrupt, match="stored text"):
        decode_text(b"\0\xff")
