from __future__ import annotations

from dataclasses import replace

from collab.ids import ClientId, JobId, PersonId
from generation.events import FileStarted, JobFinished, JobProgressed, JobStarted, JobTokens
from generation.io.watching import Watchers
from generation.jobs import Job

JOB = JobId("j1")
VIEW = Job(JOB, "p", "Ada", PersonId("p"), "m", False, [ClientId(1)], "#000000", 1).view()


async def test_a_slow_reader_loses_tokens_first_and_never_the_end() -> None:
    watchers = Watchers(10)
    watchers.open(JOB)
    with watchers.read(JOB, None) as events:
        watchers.publish(JOB, FileStarted(JOB, "a"))
        for number in range(100):
            watchers.publish(JOB, JobTokens(JOB, "a", str(number)))
        watchers.publish(JOB, FileStarted(JOB, "b"))
        watchers.publish(JOB, JobFinished(VIEW))
        got = [event async for event in events]
    assert len(got) <= 11
    assert [event for event in got if not isinstance(event, JobTokens)] == [
        FileStarted(JOB, "a"),
        FileStarted(JOB, "b"),
        JobFinished(VIEW),
    ]


async def test_who_comes_late_gets_what_matters() -> None:
    watchers = Watchers(10)
    watchers.open(JOB)
    watchers.publish(JOB, JobStarted(VIEW))
    watchers.publish(JOB, JobTokens(JOB, "a", "x"))
    watchers.publish(JOB, JobProgressed(VIEW))
    with watchers.read(JOB, None) as events:
        watchers.publish(JOB, JobFinished(VIEW))
        assert [event async for event in events] == [JobStarted(VIEW), JobFinished(VIEW)]


async def test_of_a_job_that_has_ended_only_the_end_is_told() -> None:
    ended = JobFinished(replace(VIEW, state="complete"))
    with Watchers(10).read(JOB, ended) as events:
        assert [event async for event in events] == [ended]


async def test_a_job_that_nobody_opened_is_not_kept() -> None:
    watchers = Watchers(10)
    watchers.publish(JOB, JobStarted(VIEW))
    assert not watchers._channels


async def test_a_channel_that_is_closed_stays_for_those_who_read_it() -> None:
    watchers = Watchers(10)
    watchers.open(JOB)
    with watchers.read(JOB, None) as events:
        watchers.close(JOB)
        watchers.publish(JOB, JobFinished(VIEW))
        assert [event async for event in events] == [JobFinished(VIEW)]
    watchers.open(JOB)
    watchers.close(JOB)
    assert not watchers._channels
