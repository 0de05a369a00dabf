from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.commands.show import age

NOW = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds old"),
        (119, "119 seconds old"),
        (150, "2 minutes old"),
        (7_300, "2 hours old"),
        (3e5, "3 days old"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_of_which_there_are_two(seconds: float, words: str) -> None:
    assert age(int((NOW.timestamp() - seconds) * 1000), NOW) == words


def test_a_time_that_never_was_is_none() -> None:
    assert age(0, NOW) == "none"


def test_a_clock_that_is_ahead_does_no_harm() -> None:
    assert age(int((NOW.timestamp() + 60) * 1000), NOW) == "0 seconds old"
