"""Keeps the count of what was asked of the models up to date, and asks it whether more may be.

What a job took is counted a moment after it did, by a task of its own, so that no job waits for the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from collab.errors import StoreError
from collab.ids import JobId, PersonId, RoomId
from collab.ports import Clock
from generation.jobs import Job
from generation.usage import Account, Bounds, Excess, Quotas, Usage, refusal

RENEW_SECONDS: Final = 15.0
RETRY_SECONDS: Final = 1.0
HOUR_MS: Final = 3_600_000
_MOST_NOTES: Final = 10_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Note:
    """What is still to be counted of a job."""

    job: JobId
    accounts: tuple[Account, ...]
    tokens: int = 0
    cost: float = 0.0
    asked: bool = False
    left: bool = False


class Metering:
    """The bounds of people, rooms and the server. Use ``run`` as a task."""

    def __init__(
        self,
        usage: Usage,
        quotas: Quotas,
        clock: Clock,
        active: Callable[[], Iterable[tuple[RoomId, Job]]],
    ) -> None:
        """``active`` names the jobs that this process keeps and that have not ended."""
        self._usage = usage
        self._quotas = quotas
        self._active = active
        self._clock = clock
        self._notes: deque[_Note] = deque(maxlen=_MOST_NOTES)
        self._work = asyncio.Event()
        self._began_ms = clock.wall_ms()
        self._restored: set[RoomId] = set()

    async def admit(self, room: RoomId, job: JobId, person: PersonId) -> None:
        """Counts a job in. Raises TooManyJobs, HourlyLimit, StoreError."""
        _raise(await self._usage.admit(job, self._bounds(room, person)))

    async def check(self, room: RoomId, job: Job) -> None:
        """Whether a job may ask a model now. Raises HourlyLimit; a count that cannot be reached stops nobody."""
        try:
            excess = await self._usage.exceeded(self._bounds(room, job.person))
        except StoreError as error:
            logger.warning("it is not known how much was asked of the models: %s", error.message)
            return
        _raise(excess)

    def spent(self, room: RoomId, job: Job) -> None:
        """A request to a model is over: what it took is counted."""
        tokens, cost = job.charge()
        if tokens or cost:
            self._note(_Note(job.id, accounts(room, job.person), tokens, cost))

    def ended(self, room: RoomId, job: JobId, person: PersonId) -> None:
        """A job has ended."""
        self._note(_Note(job, accounts(room, person), left=True))

    def restore(self, room: RoomId, jobs: Iterable[Job]) -> None:
        """What a room's jobs took before this process began, for a count that does not outlive it."""
        if room in self._restored:
            return
        now = self._clock.wall_ms()
        if now - self._began_ms > HOUR_MS:
            self._restored.clear()
            return
        self._restored.add(room)
        for job in jobs:
            if job.kind == "job" and now - HOUR_MS < job.created_ms < self._began_ms:
                mine = accounts(room, job.person)
                note = _Note(job.id, mine, job.used_tokens, job.used_cost, asked=True, left=job.ended)
                self._note(note)

    async def run(self) -> None:
        """Counts until cancelled."""
        while True:
            try:
                async with asyncio.timeout(RENEW_SECONDS):
                    await self._work.wait()
            except TimeoutError:
                await self._try(self._renew)
            self._work.clear()
            while self._notes:
                if not await self._try(self._count):
                    await asyncio.sleep(RETRY_SECONDS)

    async def settle(self) -> None:
        """Counts what is still to be counted, once. Raises StoreError."""
        while self._notes:
            await self._count()

    async def _try(self, work: Callable[[], object]) -> bool:
        try:
            await work()  # type: ignore[misc]
        except StoreError as error:
            logger.warning("what was asked of the models is not counted yet: %s", error.message)
            return False
        return True

    async def _renew(self) -> None:
        await self._usage.renew({job.id: accounts(room, job.person) for room, job in self._active()})

    async def _count(self) -> None:
        note = self._notes[0]
        if note.asked:
            await self._usage.admit(note.job, [(account, Bounds()) for account in note.accounts])
        if note.tokens or note.cost:
            await self._usage.spend(note.accounts, note.tokens, note.cost)
        if note.left:
            await self._usage.leave(note.job, note.accounts)
        if self._notes and self._notes[0] is note:
            self._notes.popleft()

    def _note(self, note: _Note) -> None:
        self._notes.append(note)
        self._work.set()

    def _bounds(self, room: RoomId, person: PersonId) -> list[tuple[Account, Bounds]]:
        quotas = self._quotas
        bounds = {"person": quotas.person, "room": quotas.room, "server": quotas.server}
        return [(account, bounds[account.scope]) for account in accounts(room, person)]


def accounts(room: RoomId, person: PersonId) -> tuple[Account, ...]:
    """Whose use it is. What the server does by itself is no person's."""
    shared = Account("room", room), Account("server")
    return (Account("person", person), *shared) if person else shared


def _raise(excess: Excess | None) -> None:
    if excess is not None:
        raise refusal(excess)
