from __future__ import annotations

import pytest

from collab.syntax.unite_order import Doubts, merged_order

FREE = Doubts[str](
    fixed=str.isupper, kind=lambda key: "digit" if key.isdigit() else "", replaced=lambda key: False
)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("abc", "abc", "abc", "abc"),
        ("abc", "abcx", "abcy", "abcxy"),
        ("", "x", "y", "xy"),
        ("abc", "axbc", "abyc", "axbyc"),
        ("abc", "ac", "ab", "a"),
        ("abc", "abxc", "abxyc", "abxyc"),
        ("abc", "abxyc", "abzyc", "abxzyc"),
        ("abc", "xabc", "abcx", "xabc"),
        ("abc", "cba", "abcx", "cxba"),
        ("abc", "cba", "bac", None),
        ("abc", "axc", "ayc", None),
        ("abc", "abXc", "abyc", None),
        ("abc", "abXc", "abXc", "abXc"),
        ("ABC", "AB", "AC", None),
        ("ABC", "ABxC", "AC", None),
        ("ABC", "AC", "ABC", "AC"),
        ("abc", "ab1c", "abyc", None),
    ],
)
def test_two_orders_are_merged(base: str, ours: str, theirs: str, merged: str | None) -> None:
    found = merged_order(base, ours, theirs, FREE)
    assert (None if found is None else "".join(found)) == merged


def test_what_one_side_took_away_and_the_other_replaced_is_left_open() -> None:
    doubts = Doubts[str](fixed=lambda key: False, kind=lambda key: "", replaced=lambda key: True)
    assert merged_order("abc", "ac", "axc", doubts) is None
