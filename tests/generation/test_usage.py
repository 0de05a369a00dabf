from __future__ import annotations

import pytest

from collab.errors import HourlyLimit, TooManyJobs
from collab.ids import JobId
from generation.usage import ACTIVE_SECONDS, Account, Bounds, Excess, MemoryUsage, refusal, wait_for
from tests.generation.fakes import ManualClock

ADA = Account("person", "ada")


async def test_what_is_older_than_an_hour_counts_no_more() -> None:
    clock = ManualClock()
    usage = MemoryUsage(clock)
    bounds = [(ADA, Bounds(jobs=2, tokens=100))]
    assert await usage.admit(JobId("j0"), bounds) is None
    clock.now += 30 * 60
    assert await usage.admit(JobId("j1"), bounds) is None
    await usage.spend([ADA], 99, 0)
    excess = await usage.admit(JobId("j2"), bounds)
    assert excess is not None
    assert excess.measure == "jobs"
    clock.now += excess.wait - 1
    assert await usage.admit(JobId("j2"), bounds) is not None
    clock.now += 1
    assert await usage.admit(JobId("j2"), bounds) is None


async def test_a_job_of_which_nobody_speaks_counts_no_more_after_a_while() -> None:
    clock = ManualClock()
    usage = MemoryUsage(clock)
    bounds = [(ADA, Bounds(at_once=1))]
    assert await usage.admit(JobId("j0"), bounds) is None
    clock.now += ACTIVE_SECONDS - 1
    await usage.renew({JobId("j0"): [ADA]})
    clock.now += ACTIVE_SECONDS - 1
    assert await usage.admit(JobId("j1"), bounds) is not None
    clock.now += 1
    assert await usage.admit(JobId("j1"), bounds) is None


def test_the_wait_is_over_when_enough_of_the_oldest_minutes_is_past() -> None:
    rows = [(100, 5.0), (110, 5.0), (120, 5.0)]
    assert wait_for(rows, 11, 130, 15.0) == 30 * 60 - 15
    assert wait_for(rows, 6, 130, 0.0) == 40 * 60
    assert wait_for(rows, 0, 130, 0.0) == 0


@pytest.mark.parametrize(
    ("excess", "kind", "words"),
    [
        (
            Excess(ADA, "at_once", 20, 20),
            TooManyJobs,
            (
                "You have 20 jobs that wait or run, as many as one person may have (limit_jobs_per_person); "
                "wait for one to end, or cancel one."
            ),
        ),
        (
            Excess(Account("server"), "at_once", 1500, 1500),
            TooManyJobs,
            (
                "This server has 1,500 jobs that wait or run, as many as all together may have (limit_jobs); "
                "wait for one to end, or cancel one."
            ),
        ),
        (
            Excess(ADA, "jobs", 300, 300, 600),
            HourlyLimit,
            (
                "You have asked for 300 jobs within the last hour, and one person may ask for 300 "
                "(hourly_jobs_per_person); ask again in 10 minutes."
            ),
        ),
        (
            Excess(Account("room", "r"), "tokens", 1_000_000, 1_234_567, 20),
            HourlyLimit,
            (
                "This room has used 1,234,567 tokens of models within the last hour, and one room may use "
                "1,000,000 (hourly_tokens_per_room); ask again in 20 seconds."
            ),
        ),
        (
            Excess(Account("server"), "cost", 5, 5.017, 3000),
            HourlyLimit,
            (
                "This server has spent $5.02 on models within the last hour, and all together may spend $5.00 "
                "(hourly_cost); ask again in 50 minutes."
            ),
        ),
    ],
)
def test_a_refusal_names_the_bound_the_setting_and_the_remedy(
    excess: Excess, kind: type[Exception], words: str
) -> None:
    error = refusal(excess)
    assert isinstance(error, kind)
    assert (error.message, error.status) == (words, 429)
    if isinstance(error, HourlyLimit):
        assert error.retry_after == excess.wait
