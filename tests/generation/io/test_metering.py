from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from collab.errors import HourlyLimit, StoreUnavailable, TooManyJobs
from collab.ids import ClientId, JobId, PersonId, RoomId
from generation.io import metering
from generation.io.metering import Metering
from generation.jobs import Job
from generation.usage import Account, Bounds, MemoryUsage, Quotas
from generation.views import Attempt
from tests.generation.fakes import ManualClock

ROOM = RoomId("room")
ADA = PersonId("ada")


class Away(MemoryUsage):
    """A count that cannot be reached for a while."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.refuses = 0
        self.renewed: list[set[JobId]] = []

    async def spend(self, accounts: Sequence[Account], tokens: int, cost: float) -> None:
        self._reach()
        await super().spend(accounts, tokens, cost)

    async def exceeded(self, bounds: object) -> None:
        self._reach()

    async def renew(self, active: Mapping[JobId, Sequence[Account]]) -> None:
        self.renewed.append(set(active))
        await super().renew(active)

    def _reach(self) -> None:
        if self.refuses:
            self.refuses -= 1
            raise StoreUnavailable("Redis is away.")


def job(name: str = "j1", created_ms: int = 0) -> Job:
    return Job(JobId(name), "p", "Ada", ADA, "m", False, [ClientId(7)], "#000000", created_ms)


def meter(usage: MemoryUsage, clock: ManualClock, quotas: Quotas, *active: Job) -> Metering:
    return Metering(usage, quotas, clock, lambda: [(ROOM, one) for one in active])


@asynccontextmanager
async def running(made: Metering) -> AsyncIterator[None]:
    task = asyncio.create_task(made.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_job_counts_until_it_has_ended() -> None:
    clock = ManualClock()
    made = meter(MemoryUsage(clock), clock, Quotas(person=Bounds(at_once=1)))
    await made.admit(ROOM, JobId("j1"), ADA)
    with pytest.raises(TooManyJobs):
        await made.admit(ROOM, JobId("j2"), ADA)
    made.ended(ROOM, JobId("j1"), ADA)
    await made.settle()
    await made.admit(ROOM, JobId("j2"), ADA)


async def test_what_a_job_took_counts_for_its_person_its_room_and_all_together() -> None:
    for quotas in (
        Quotas(person=Bounds(tokens=10)),
        Quotas(room=Bounds(tokens=10)),
        Quotas(server=Bounds(cost=1)),
    ):
        clock = ManualClock()
        made = meter(MemoryUsage(clock), clock, quotas)
        one = job()
        await made.check(ROOM, one)
        one.tried(Attempt("m", "answered", prompt_tokens=6, answer_tokens=4, cost=1.0))
        made.spent(ROOM, one)
        made.spent(ROOM, one)
        await made.settle()
        with pytest.raises(HourlyLimit):
            await made.check(ROOM, one)


async def test_a_count_that_is_away_stops_nobody_and_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "RETRY_SECONDS", 0.001)
    clock = ManualClock()
    usage = Away(clock)
    usage.refuses = 4
    made = meter(usage, clock, Quotas(person=Bounds(tokens=10)))
    one = job()
    await made.check(ROOM, one)
    one.tried(Attempt("m", "answered", prompt_tokens=10))
    made.spent(ROOM, one)
    async with running(made), asyncio.timeout(5):
        while made._notes:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.001)
    bounds = [(Account("person", ADA), Bounds(tokens=10))]
    assert await MemoryUsage.exceeded(usage, bounds) is not None


async def test_jobs_that_have_not_ended_are_spoken_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "RENEW_SECONDS", 0.001)
    clock = ManualClock()
    usage = Away(clock)
    async with running(meter(usage, clock, Quotas(), job("j1"), job("j2"))), asyncio.timeout(5):
        while len(usage.renewed) < 2:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.001)
    assert usage.renewed[0] == {"j1", "j2"}


async def test_what_was_asked_before_the_process_began_counts_within_the_hour_and_once() -> None:
    clock = ManualClock()
    now = clock.wall_ms()
    clock.now += 1
    usage = MemoryUsage(clock)
    made = meter(usage, clock, Quotas(person=Bounds(jobs=2)))
    clock.now += 1
    recent, old, later = job("j1", now), job("j2", now - 3_700_000), job("j3", clock.wall_ms())
    recent.cancel("Ada")
    for _ in range(2):
        made.restore(ROOM, [recent, old, later])
    await made.settle()
    await made.admit(ROOM, JobId("j4"), ADA)
    with pytest.raises(HourlyLimit):
        await made.admit(ROOM, JobId("j5"), ADA)
