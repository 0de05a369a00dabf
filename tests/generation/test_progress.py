from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from generation.jobs import STAGES, JobState
from generation.progress import Estimate


@given(st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 10)), max_size=40), st.integers(1, 5000))
def test_progress_never_goes_back_and_stays_below_its_end(steps: list[tuple[int, float]], expected: int) -> None:
    estimate = Estimate(expected)
    last = estimate.stage(JobState.GENERATING)
    now = 0.0
    for tokens, passed in steps:
        now += passed
        progress = estimate.token(tokens, now)
        assert last <= progress < 0.93
        last = progress
        eta = estimate.eta(now)
        assert eta is None or eta >= 0


def test_later_stages_are_further() -> None:
    estimate = Estimate(100)
    reached = [estimate.stage(state) for state in STAGES]
    assert reached == sorted(set(reached))


def test_the_rest_is_estimated_from_the_measured_rate() -> None:
    estimate = Estimate(100)
    assert estimate.eta(1.0) is None
    estimate.token(0, 10.0)
    estimate.token(50, 15.0)
    assert estimate.eta(15.0) == 5.0
