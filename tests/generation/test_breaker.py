from __future__ import annotations

import pytest

from generation.breaker import Breaker, BreakerState


def failed(times: int) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker.failed(0, probe=breaker.take(0))
    return breaker


def test_it_opens_after_five_failures_in_a_row() -> None:
    assert failed(4).allows(0)
    assert not failed(5).allows(0)


def test_a_success_ends_the_row() -> None:
    breaker = failed(4)
    breaker.succeeded()
    breaker.failed(0, probe=breaker.take(0))
    assert breaker.state(0) is BreakerState.CLOSED


def test_it_is_open_for_sixty_seconds() -> None:
    breaker = failed(5)
    assert breaker.state(59.9) is BreakerState.OPEN
    assert breaker.rests(20) == 40
    assert breaker.state(60) is BreakerState.HALF_OPEN


def test_half_open_lets_one_probe_through() -> None:
    breaker = failed(5)
    assert breaker.allows(60)
    assert breaker.take(60)
    assert not breaker.allows(61)


def test_a_probe_that_succeeds_closes_it() -> None:
    breaker = failed(5)
    breaker.take(60)
    breaker.succeeded()
    assert breaker.state(60) is BreakerState.CLOSED


def test_a_probe_that_fails_opens_it_for_half_as_long() -> None:
    breaker = failed(5)
    breaker.failed(60, probe=breaker.take(60))
    assert not breaker.allows(89)
    assert breaker.allows(90)


@pytest.mark.parametrize("ended", ["released", "other"])
def test_a_probe_without_a_verdict_gives_its_place_to_the_next(ended: str) -> None:
    breaker = failed(5)
    probe = breaker.take(60)
    if ended == "other":
        # A request that began before the breaker opened fails late: it says nothing of the probe.
        breaker.failed(61, probe=False)
        assert not breaker.allows(62)
    breaker.released(probe=probe)
    assert breaker.allows(62)
