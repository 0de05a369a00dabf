from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from generation.context.fitting import fit
from generation.context.pieces import KINDS, Piece

pieces = st.builds(
    Piece,
    kind=st.sampled_from(KINDS),
    name=st.text("abc", min_size=1, max_size=3),
    text=st.integers(0, 4_000).map(lambda size: "x" * size),
    why=st.just("why"),
    score=st.floats(0, 5),
    pinned=st.booleans(),
    summary=st.integers(0, 400).map(lambda size: "s" * size),
    whole=st.booleans(),
    extra=st.integers(0, 20),
)


@given(st.lists(pieces, max_size=20), st.integers(-5, 3_000), st.none() | st.integers(0, 3_000))
def test_the_budget_is_never_exceeded_and_every_piece_is_told_of(
    some: list[Piece], budget: int, wanted: int | None
) -> None:
    chosen = fit(some, budget, wanted)
    assert sum(one.tokens for one in chosen) <= max(0, budget)
    assert sorted(id(one.piece) for one in chosen) == sorted(map(id, some))
    assert all(one.reason for one in chosen if one.form == "left_out")


@given(st.lists(pieces, max_size=12), st.integers(0, 3_000))
def test_the_order_in_which_pieces_come_changes_nothing_for_those_that_are_not_pinned(
    some: list[Piece], budget: int
) -> None:
    loose = [one for one in some if not one.pinned]
    sizes = {(one.piece.kind, one.piece.name, one.form, one.tokens) for one in fit(loose, budget)}
    keys = [(one.score, one.name) for one in loose]
    if len(set(keys)) == len(keys):
        assert sizes == {
            (one.piece.kind, one.piece.name, one.form, one.tokens) for one in fit(loose[::-1], budget)
        }


def piece(name: str, size: int, **more: object) -> Piece:
    return Piece("file", name, "x" * size, "why", **more)  # type: ignore[arg-type]


def test_pinned_pieces_come_before_better_ones() -> None:
    chosen = fit([piece("better", 4_000, score=5.0), piece("pinned", 4_000, pinned=True)], 1_000)
    assert {one.piece.name: one.form for one in chosen} == {"better": "left_out", "pinned": "whole"}


def test_what_does_not_fit_is_outlined_and_the_report_says_so() -> None:
    [one] = fit([piece("a", 8_000, summary="def a()")], 1_000)
    assert (one.form, one.text) == ("summary", "def a()")
    assert "about 1861 tokens, 1000 are left" in one.reason


def test_what_is_wanted_bounds_all_but_the_pinned_ones() -> None:
    some = [piece("pinned", 4_000, pinned=True), piece("a", 400), piece("b", 4_000)]
    forms = {one.piece.name: (one.form, one.reason) for one in fit(some, 10_000, wanted=1_100)}
    assert forms["pinned"][0] == forms["a"][0] == "whole"
    assert forms["b"][0] == "left_out"
    assert "as more is not wanted" in forms["b"][1]


def test_the_same_pieces_are_worded_in_the_same_order_whatever_their_scores() -> None:
    one = fit([piece("a", 10, score=1.0), piece("b", 10, score=2.0)], 1_000)
    other = fit([piece("a", 10, score=2.0), piece("b", 10, score=1.0)], 1_000)
    assert [each.piece.name for each in one] == [each.piece.name for each in other] == ["a", "b"]
