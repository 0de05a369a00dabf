from __future__ import annotations

import random

import pytest

from generation.breaker import BreakerRules
from generation.catalog import Capability, ModelSpec, Provider
from generation.choice import Plan
from generation.errors import (
    AnswerCut,
    ContentRefused,
    ContextOverflow,
    ModelError,
    ModelRateLimited,
    ModelRefused,
    ModelUnavailable,
    StreamBroken,
)
from generation.resilience import Ask, GiveUp, Policy, Resilience, Step, Wait
from generation.standing import Standings

DOWN = ModelUnavailable("Down.")


class Highest(random.Random):
    def random(self) -> float:
        return 1.0


def spec(
    name: str, window: int = 100_000, answer: int = 4_000, capabilities: frozenset[Capability] = frozenset()
) -> ModelSpec:
    return ModelSpec(name, Provider("p"), name, window, answer, capabilities)


class Driver:
    """Plays the part of the talk: it fails as told, and turns the clock at each wait."""

    def __init__(
        self,
        *models: ModelSpec,
        policy: Policy | None = None,
        standings: Standings | None = None,
        seed: random.Random | None = None,
    ) -> None:
        self.standings = standings or Standings()
        self.control = Resilience(
            Plan(models, ""), self.standings, policy or Policy(), seed if seed is not None else Highest()
        )
        self.now = 0.0
        self.waits: list[float] = []
        self.asked: list[str] = []

    def step(self) -> Ask | GiveUp:
        """The next request, or the end; waits are waited."""
        while isinstance(step := self.control.next(self.now), Wait):
            self.waits.append(step.seconds)
            self.now += step.seconds
        if isinstance(step, Ask):
            self.asked.append(step.spec.name)
        return step

    def ask(self) -> Ask:
        step = self.step()
        assert isinstance(step, Ask), step
        return step

    def end(self) -> GiveUp:
        step: Step = self.step()
        assert isinstance(step, GiveUp), step
        return step

    def fail(self, error: ModelError = DOWN, *, kept: bool = False) -> Ask:
        asked = self.ask()
        self.control.failed(error, self.now, kept=kept)
        return asked


def test_waits_double_up_to_the_most_and_end_after_the_tries() -> None:
    driver = Driver(spec("a"), policy=Policy(tries=8, patience=1_000, attempts=99), standings=patient())
    for _ in range(8):
        driver.fail()
    assert driver.end().error is DOWN
    assert driver.waits == [1, 2, 4, 8, 16, 30, 30]


def patient() -> Standings:
    return Standings(BreakerRules(failures=99))


def test_waits_are_spread_from_nothing_on() -> None:
    waits = []
    for seed in range(50):
        driver = Driver(spec("a"), seed=random.Random(seed))
        driver.fail()
        driver.ask()
        waits += driver.waits
    assert min(waits) < 0.2
    assert 0.8 < max(waits) <= 1.0


def test_the_wait_that_the_provider_asks_for_is_kept() -> None:
    driver = Driver(spec("a"))
    driver.fail(ModelRateLimited("x", retry_after=7.5))
    driver.ask()
    assert driver.waits == [7.5]


def test_a_wait_that_is_too_long_is_final_where_there_is_no_other_model() -> None:
    driver = Driver(spec("a"))
    driver.fail(ModelRateLimited("x", retry_after=600))
    assert driver.end().template


def test_a_wait_beyond_patience_goes_to_another_model() -> None:
    driver = Driver(spec("a"), spec("b"))
    driver.fail(ModelRateLimited("Slow down.", retry_after=30))
    asked = driver.ask()
    assert (asked.spec.name, driver.waits) == ("b", [])
    assert "Slow down." in asked.why


def test_other_jobs_leave_a_model_alone_for_as_long_as_its_provider_asked() -> None:
    standings = Standings()
    Driver(spec("a"), spec("b"), standings=standings).fail(ModelRateLimited("x", retry_after=30))
    assert Driver(spec("a"), spec("b"), standings=standings).ask().spec.name == "b"


def test_a_model_that_fails_is_tried_again_then_another_one() -> None:
    driver = Driver(spec("a"), spec("b"))
    for _ in range(6):
        driver.fail()
    assert driver.asked == ["a", "a", "a", "b", "b", "b"]
    assert driver.end().error is DOWN


def test_a_failure_that_took_long_goes_to_another_model_at_once() -> None:
    driver = Driver(spec("a"), spec("b"))
    driver.ask()
    driver.now += 60
    driver.control.failed(DOWN, driver.now, kept=False)
    assert driver.ask().spec.name == "b"


def test_a_refusal_goes_to_another_model_without_a_second_try() -> None:
    driver = Driver(spec("a"), spec("b"))
    driver.fail(ModelRefused("No."))
    assert driver.fail(ModelRefused("No.")).spec.name == "b"
    assert driver.end().template


def test_what_a_content_filter_stops_is_not_asked_again_and_no_template_is_offered() -> None:
    driver = Driver(spec("a"), spec("b"))
    driver.fail(ContentRefused("No."))
    assert not driver.end().template
    assert driver.asked == ["a"]


def test_a_request_that_is_too_long_goes_to_a_larger_model() -> None:
    driver = Driver(spec("a"), spec("small", 50_000), spec("large", 200_000))
    driver.fail(ContextOverflow("Too long."))
    asked = driver.ask()
    assert (asked.spec.name, asked.share) == ("large", 1.0)


def test_without_a_larger_model_the_context_is_made_smaller_once() -> None:
    driver = Driver(spec("a"), spec("b"))
    driver.fail(ContextOverflow("Too long."))
    asked = driver.fail(ContextOverflow("Too long."))
    assert (asked.spec.name, asked.share) == ("a", 0.5)
    driver.end()
    assert driver.asked == ["a", "a"]


def test_a_broken_stream_goes_on_from_what_is_kept() -> None:
    driver = Driver(spec("a"))
    assert not driver.fail(StreamBroken("Cut."), kept=True).continues
    assert driver.ask().continues


def test_a_broken_stream_of_which_nothing_is_kept_begins_anew() -> None:
    driver = Driver(spec("a"))
    driver.fail(StreamBroken("Cut."))
    assert not driver.ask().continues


def test_only_a_model_that_can_is_given_a_beginning() -> None:
    driver = Driver(spec("a"), spec("b", capabilities=frozenset({"prefill"})))
    driver.fail(StreamBroken("Cut."), kept=True)
    assert not driver.fail().prefill
    driver.fail()
    assert driver.ask().prefill


def test_a_beginning_that_is_refused_is_left_out_for_that_model_from_then_on() -> None:
    driver = Driver(spec("a", capabilities=frozenset({"prefill"})))
    driver.fail(StreamBroken("Cut."), kept=True)
    assert driver.fail(ModelRefused("Prefill is not supported.")).prefill
    assert driver.ask().spec.name == "a"
    assert driver.standings.of("a").prefill_refused


def test_an_answer_that_is_cut_at_its_longest_goes_on_and_counts_as_no_failure() -> None:
    driver = Driver(spec("a"))
    for _ in range(5):
        driver.fail(AnswerCut("Long."), kept=True)
    assert driver.ask().continues
    assert driver.waits == []
    assert driver.standings.of("a").available(driver.now)


def test_an_answer_that_is_cut_before_anything_was_complete_needs_a_model_with_longer_ones() -> None:
    driver = Driver(spec("a"), spec("b"), spec("c", answer=16_000))
    driver.fail(AnswerCut("Long."))
    assert driver.ask().spec.name == "c"


def test_requests_of_one_job_are_bounded() -> None:
    driver = Driver(spec("a"), policy=Policy(attempts=4))
    for _ in range(4):
        driver.fail(AnswerCut("Long."), kept=True)
    driver.end()


def test_a_model_that_rests_is_passed_over_and_the_room_is_told_why() -> None:
    standings = Standings()
    for _ in range(5):
        standings.of("a").take(0)
        standings.of("a").failed(0, probe=False)
    asked = Driver(spec("a"), spec("b"), standings=standings).ask()
    assert asked.spec.name == "b"
    assert "rests for 60 s" in asked.why


def test_when_all_rest_nothing_is_asked_and_it_is_said_for_how_long() -> None:
    standings = Standings()
    for _ in range(5):
        standings.of("a").take(0)
        standings.of("a").failed(0, probe=False)
    driver = Driver(spec("a"), standings=standings)
    assert "in 60 s" in driver.end().error.message


def test_the_end_of_another_requests_probe_is_waited_for() -> None:
    standings = Standings(BreakerRules(failures=1, seconds=0))
    standings.of("a").take(0)
    standings.of("a").failed(0, probe=False)
    probe = standings.of("a").take(0)
    driver = Driver(spec("a"), standings=standings)
    assert driver.control.next(0) == Wait(1.0)
    standings.of("a").answered(0.5, 0.1, 0.1, 1, probe=probe)
    assert driver.ask().spec.name == "a"


@pytest.mark.parametrize("error", [DOWN, StreamBroken("x"), ContextOverflow("x"), ContentRefused("x")])
def test_whatever_happens_the_load_is_counted_down(error: ModelError) -> None:
    driver = Driver(spec("a"))
    driver.ask()
    assert driver.standings.of("a").running == 1
    driver.control.failed(error, 0, kept=False)
    assert driver.standings.of("a").running == 0


def test_a_request_that_was_given_up_says_nothing_of_the_model() -> None:
    driver = Driver(spec("a"))
    driver.ask()
    driver.control.dropped()
    assert driver.standings.of("a").running == 0
    assert driver.standings.of("a").measured.success(0) == 1
