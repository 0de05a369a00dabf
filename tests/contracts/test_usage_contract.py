"""What every count of use must do. Runs on each adapter of ``generation.usage.Usage``, the twin included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from collab.ids import JobId
from collab.io.redis_link import RedisLink
from generation.io.redis_usage import RedisUsage
from generation.usage import Account, Bounds, Excess, MemoryUsage, Usage
from tests.contracts.redis_servers import Servers, servers
from tests.generation.fakes import ManualClock

ADA = Account("person", "ada}{")
ROOM = Account("room", "team/project")
SERVER = Account("server")
ALL = (ADA, ROOM, SERVER)
FREE = Bounds()


@pytest.fixture(scope="module")
def shared(redis_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(redis_server, tmp_path_factory.mktemp("redis")) as each:
        yield each


@pytest.fixture(params=["memory", "redis", "cluster"])
async def usage(request: pytest.FixtureRequest) -> AsyncIterator[Usage]:
    if request.param == "memory":
        yield MemoryUsage(ManualClock())
        return
    each: Servers = request.getfixturevalue("shared")
    server = await each.empty(request.param)
    link = await RedisLink.open(server.url)
    yield RedisUsage(link, "test:")
    await link.aclose()


async def admit(usage: Usage, job: str, person: Bounds = FREE, room: Bounds = FREE) -> Excess | None:
    return await usage.admit(JobId(job), [(ADA, person), (ROOM, room), (SERVER, FREE)])


async def test_without_bounds_everything_is_allowed(usage: Usage) -> None:
    assert [await admit(usage, f"j{number}") for number in range(30)] == [None] * 30


async def test_only_so_many_jobs_may_be_there_at_once(usage: Usage) -> None:
    two = Bounds(at_once=2)
    assert [await admit(usage, job, two) for job in ("j0", "j1")] == [None, None]
    assert await admit(usage, "j2", two) == Excess(ADA, "at_once", 2, 2)
    await usage.leave(JobId("j0"), ALL)
    assert await admit(usage, "j2", two) is None


async def test_a_job_that_is_asked_for_twice_counts_once(usage: Usage) -> None:
    one = Bounds(at_once=1, jobs=1)
    assert await admit(usage, "j0", one) is None
    assert await admit(usage, "j0", one) is None
    excess = await admit(usage, "j1", Bounds(jobs=1))
    assert excess is not None
    assert (excess.measure, excess.used) == ("jobs", 1)


async def test_what_is_refused_is_not_counted_anywhere(usage: Usage) -> None:
    assert await admit(usage, "j0", room=Bounds(jobs=0)) == Excess(ROOM, "jobs", 0, 0)
    assert await admit(usage, "j0", Bounds(at_once=1, jobs=1), Bounds(jobs=1)) is None


async def test_jobs_that_have_ended_count_within_the_hour(usage: Usage) -> None:
    two = Bounds(jobs=2)
    for job in ("j0", "j1"):
        assert await admit(usage, job, two) is None
        await usage.leave(JobId(job), ALL)
    excess = await admit(usage, "j2", two)
    assert excess is not None
    assert (excess.account, excess.measure, excess.bound, excess.used) == (ADA, "jobs", 2, 2)
    assert 3_500 < excess.wait <= 3_600


async def test_a_bound_of_tokens_or_money_holds_from_when_it_is_reached(usage: Usage) -> None:
    bounds = [(ADA, Bounds(tokens=1_000)), (ROOM, Bounds(cost=0.5)), (SERVER, FREE)]
    await usage.spend(ALL, 999, 0.25)
    assert await usage.exceeded(bounds) is None
    assert await usage.admit(JobId("j0"), bounds) is None
    await usage.spend(ALL, 0, 0.26)
    excess = await usage.exceeded(bounds)
    assert excess is not None
    assert (excess.account, excess.measure, excess.bound) == (ROOM, "cost", 0.5)
    assert excess.used == pytest.approx(0.51)
    await usage.spend([ADA], 1, 0)
    excess = await usage.admit(JobId("j1"), bounds)
    assert excess is not None
    assert (excess.account, excess.measure, excess.used) == (ADA, "tokens", 1_000)
    assert 3_500 < excess.wait <= 3_600


async def test_how_many_jobs_there_are_says_nothing_about_tokens(usage: Usage) -> None:
    assert await admit(usage, "j0") is None
    assert await usage.exceeded([(ADA, Bounds(at_once=0, jobs=0))]) is None


async def test_accounts_are_counted_apart(usage: Usage) -> None:
    one = Bounds(at_once=1, jobs=1, tokens=1)
    await usage.spend([ADA], 5, 0)
    assert await usage.admit(JobId("j0"), [(Account("person", "bob"), one)]) is None
    assert await usage.admit(JobId("j1"), [(Account("room", "bob"), one)]) is None


async def test_of_many_who_ask_at_the_same_time_only_so_many_come_in(usage: Usage) -> None:
    asked = await asyncio.gather(*(admit(usage, f"j{number}", Bounds(at_once=3)) for number in range(10)))
    assert asked.count(None) == 3


async def test_a_job_can_be_said_to_be_there_still(usage: Usage) -> None:
    await usage.renew({})
    await usage.renew({JobId("j0"): ALL, JobId("j1"): ALL})
    assert await admit(usage, "j2", Bounds(at_once=2)) == Excess(ADA, "at_once", 2, 2)


async def test_leaving_twice_or_never_having_come_is_nothing(usage: Usage) -> None:
    await usage.leave(JobId("j0"), ALL)
    assert await admit(usage, "j0", Bounds(at_once=1)) is None
