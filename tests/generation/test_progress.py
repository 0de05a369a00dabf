from __future__ import annotations

import math
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.experience import Lessons, Traits, Weighed
from generation.progress import Estimate
from generation.states import STAGES, JobState
from generation.views import StrategyName
from tests.generation.eta_play import KINDS, MARKS, ROOM, Look, Player


def traits(strategy: StrategyName = "targeted") -> Traits:
    return Traits(ROOM, "m", strategy, frozenset(), 0, 100)


def alike(tokens: float, count: int = 10, rate: float = 100.0, wait: float = 1.0, finish: float = 0.5) -> Lessons:
    def many(value: float) -> tuple[Weighed, ...]:
        return tuple(Weighed(value, 1.0) for _ in range(count))

    return Lessons(many(math.log(tokens)), many(rate), many(wait), many(finish))


def generating(lessons: Lessons | None = None, now: float = 0.0) -> Estimate:
    estimate = Estimate(now)
    estimate.stage(JobState.PREPARING, now)
    estimate.expect(traits(), lessons or Lessons())
    estimate.stage(JobState.GENERATING, now)
    return estimate


@given(st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 10)), max_size=40), st.booleans())
def test_progress_never_goes_back_and_stays_below_its_end(steps: list[tuple[int, float]], learned: bool) -> None:
    estimate = generating(alike(500) if learned else None)
    last, now = 0.0, 0.0
    for tokens, passed in steps:
        now += passed
        estimate.token(tokens, now)
        seen = estimate.outlook(now)
        assert last <= seen.progress < 0.93
        last = seen.progress
        assert seen.eta_seconds is None or seen.eta_seconds >= 0
        assert (seen.eta_seconds is None) == (seen.confidence is None)
        assert seen.confidence is None or 0 <= seen.confidence <= 1
        assert seen.expected_tokens is not None
        assert seen.expected_tokens >= estimate.tokens


def test_later_stages_are_further_and_none_is_the_end() -> None:
    estimate = Estimate(0.0)
    reached = []
    for state in STAGES:
        estimate.stage(state, 0.0)
        reached.append(estimate.outlook(0.0).progress)
    assert reached == sorted(set(reached))
    assert reached[-1] < 1


def test_a_job_like_none_before_has_an_estimate_once_its_rate_is_measured() -> None:
    estimate = generating()
    assert estimate.outlook(1.0).eta_seconds is None
    estimate.token(10, 10.0)
    assert estimate.outlook(10.0).eta_seconds is None
    estimate.token(110, 11.0)
    seen = estimate.outlook(11.0)
    assert seen.eta_seconds is not None
    assert seen.eta_seconds == pytest.approx((600 - 110) / 100, rel=0.3)
    assert seen.confidence == 0


def test_a_job_like_others_has_an_estimate_before_its_first_token() -> None:
    seen = generating(alike(tokens=1000)).outlook(0.0)
    assert seen.eta_seconds == pytest.approx(1.0 + 1000 / 100 + 0.5, rel=0.05)
    assert seen.confidence is not None
    assert seen.confidence > 0.7


def test_a_slower_stream_than_usual_takes_the_estimate_with_it() -> None:
    estimate = generating(alike(tokens=1000))
    for second in range(1, 11):
        estimate.token(20 * second, float(second))
    eta = estimate.outlook(10.0).eta_seconds
    assert eta is not None
    assert eta > 2 * (1000 - 200) / 100


def test_a_silence_in_the_middle_makes_it_take_longer() -> None:
    estimate = generating(alike(tokens=1000))
    estimate.token(100, 1.0)
    estimate.token(200, 2.0)
    before, after = estimate.outlook(2.0).eta_seconds, estimate.outlook(12.0).eta_seconds
    assert before is not None
    assert after is not None
    assert after > before


def test_an_answer_longer_than_all_before_is_never_said_to_be_over() -> None:
    estimate = generating(alike(tokens=100))
    for second in range(1, 60):
        estimate.token(100 * second, float(second))
        eta = estimate.outlook(float(second)).eta_seconds
        assert eta is not None
        assert eta > 0


def test_confidence_grows_with_the_jobs_that_were_alike() -> None:
    sure = [generating(alike(500, count)).outlook(0.0).confidence for count in (1, 5, 20)]
    assert None not in sure
    assert sure == sorted(set(sure), key=lambda one: one or 0)


def test_what_comes_after_the_answer_is_estimated_from_what_it_took_before() -> None:
    estimate = generating(alike(tokens=100, finish=4.0))
    estimate.token(50, 1.0)
    estimate.token(100, 2.0)
    estimate.stage(JobState.POST_PROCESSING, 2.0)
    assert estimate.outlook(3.0).eta_seconds == pytest.approx(3.0)
    assert estimate.outlook(3.0).expected_tokens == 100


def test_a_sample_tells_how_long_each_part_took() -> None:
    estimate = Estimate(10.0)
    estimate.stage(JobState.PREPARING, 10.0)
    estimate.expect(traits(), Lessons())
    estimate.stage(JobState.GENERATING, 11.0)
    estimate.token(1, 13.0)
    estimate.token(400, 17.0)
    estimate.stage(JobState.POST_PROCESSING, 17.0)
    sample = estimate.sample(17.5)
    assert sample is not None
    assert (sample.preparing, sample.waiting, sample.generating, sample.finishing) == (1, 2, 4, 0.5)
    assert sample.tokens == 400


def test_a_job_without_an_answer_teaches_nothing() -> None:
    assert generating().sample(1.0) is None


def test_after_twenty_jobs_alike_four_of_five_estimates_are_within_a_fifth() -> None:
    looks: dict[float, list[Look]] = defaultdict(list)
    for seed in range(2):
        player = Player(seed)
        for _ in range(20):
            for kind in KINDS:
                player.play(kind)
        for _ in range(20):
            for kind in KINDS:
                for look in player.play(kind):
                    looks[look.mark].append(look)
    for mark in MARKS:
        hits = [look.off <= 0.2 for look in looks[mark]]
        assert len(hits) == 120
        assert sum(hits) / len(hits) >= 0.8, f"at {mark:.0%}"


def test_the_confidence_is_about_as_often_right_as_it_says() -> None:
    said, right = [], []
    for seed in range(2):
        player = Player(seed)
        for number in range(30):
            for kind in KINDS:
                for look in player.play(kind):
                    if number >= 10 and look.mark < 0.75:
                        assert look.outlook.confidence is not None
                        said.append(look.outlook.confidence)
                        right.append(look.off_remaining <= 0.2)
    assert abs(sum(said) / len(said) - sum(right) / len(right)) < 0.15
