from __future__ import annotations

from generation.measured import HALF_LIFE, Measured


def test_nothing_measured_counts_as_good() -> None:
    assert Measured().success(0) == 1


def test_failures_lower_the_success() -> None:
    measured = Measured()
    for _ in range(20):
        measured.failed(0)
    assert measured.success(0) == 0.5


def test_old_failures_count_less() -> None:
    measured = Measured()
    for _ in range(20):
        measured.failed(0)
    assert measured.success(HALF_LIFE) == 20 / 30


def test_what_is_back_is_not_held_to_its_outage() -> None:
    measured = Measured()
    measured.failed(0)
    measured.recovered()
    assert measured.success(0) == 1


def test_latency_and_speed_are_smoothed() -> None:
    measured = Measured()
    measured.answered(0, 1.0, 2.0, 100)
    measured.answered(0, 2.0, 1.0, 100)
    assert measured.first_token == 1.3
    assert measured.tokens_per_second == 65


def test_the_scale_of_tokens_follows_what_the_provider_counts() -> None:
    measured = Measured()
    for _ in range(30):
        measured.counted(1_000, 1_400)
    assert 1.39 < measured.scale < 1.41


def test_absurd_counts_do_not_move_the_scale_far() -> None:
    measured = Measured()
    for _ in range(30):
        measured.counted(1_000, 1_000_000)
    assert measured.scale == 2.0
