from __future__ import annotations

import random

from generation.errors import ModelRateLimited, ModelRefused, ModelUnavailable, StreamBroken
from generation.resilience import Retries
from generation.settings import GenerationSettings

SETTINGS = GenerationSettings(tries=4, backoff_first=1.0, backoff_most=3.0)


class Highest(random.Random):
    def random(self) -> float:
        return 1.0


def test_waits_double_up_to_the_most_and_end_after_the_tries() -> None:
    retries = Retries(SETTINGS, Highest())
    assert [retries.wait(ModelUnavailable("x")) for _ in range(4)] == [1.0, 2.0, 3.0, None]


def test_waits_are_spread_from_nothing_on() -> None:
    waits = [Retries(SETTINGS, random.Random(seed)).wait(ModelUnavailable("x")) for seed in range(50)]
    assert min(w for w in waits if w is not None) < 0.2
    assert max(w for w in waits if w is not None) > 0.8


def test_the_wait_that_the_provider_asks_for_is_kept() -> None:
    assert Retries(SETTINGS, Highest()).wait(ModelRateLimited("x", retry_after=7.5)) == 7.5


def test_a_wait_that_is_too_long_is_final() -> None:
    assert Retries(SETTINGS, Highest()).wait(ModelRateLimited("x", retry_after=600)) is None


def test_a_refusal_and_a_broken_stream_are_final() -> None:
    assert Retries(SETTINGS, Highest()).wait(ModelRefused("x")) is None
    assert Retries(SETTINGS, Highest()).wait(StreamBroken("x")) is None
