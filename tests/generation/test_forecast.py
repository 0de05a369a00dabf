from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.experience import Weighed
from generation.forecast import Forecast


def like(*lengths: float) -> list[Weighed]:
    return [Weighed(math.log(length), 1.0) for length in lengths]


def test_without_samples_the_guess_is_expected() -> None:
    assert Forecast(600, ()).total(0) == pytest.approx(600, rel=0.02)


def test_with_samples_their_middle_is_expected() -> None:
    assert Forecast(600, like(*range(90, 111))).total(0) == pytest.approx(100, rel=0.05)


def test_what_is_there_rules_out_the_shorter_ones() -> None:
    forecast = Forecast(600, like(*[100] * 10, *[1000] * 10))
    assert forecast.total(300) == pytest.approx(1000, rel=0.05)


def test_narrow_samples_make_sure_and_wide_ones_do_not() -> None:
    narrow = Forecast(600, like(*range(95, 106)))
    wide = Forecast(600, like(20, 50, 100, 200, 500))
    assert narrow.chance(0, 80, 120) > 0.9 > 0.5 > wide.chance(0, 80, 120)


@given(st.lists(st.floats(1, 1e6), max_size=24), st.floats(0, 1e7), st.integers(1, 100_000))
def test_the_expected_length_is_never_less_than_what_is_there(
    lengths: list[float], tokens: float, guess: int
) -> None:
    forecast = Forecast(guess, like(*lengths))
    assert forecast.total(tokens) >= tokens
    assert 0 <= forecast.chance(tokens, tokens, 2 * tokens + 1) <= 1
