from __future__ import annotations

from generation.accounting import Usage, cost, total
from generation.catalog import Price

PRICE = Price(prompt=3.0, cached=0.3, answer=15.0)


def test_the_prompt_its_cached_part_and_the_answer_have_prices_of_their_own() -> None:
    assert cost(PRICE, Usage(prompt=1_000_000, answer=100_000, cached=500_000)) == 1.5 + 0.15 + 1.5


def test_more_cached_than_there_was_is_not_paid_back() -> None:
    assert cost(PRICE, Usage(prompt=1_000_000, cached=9_000_000)) == 0.3


def test_without_a_price_no_cost_is_known() -> None:
    assert cost(None, Usage(1, 1)) is None


def test_a_sum_holds_what_is_known() -> None:
    assert total([None, 1.0, 2.0]) == 3.0
    assert total([None, None]) is None
