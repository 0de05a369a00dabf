"""What people, rooms and the server may ask of the models, and the count of what they did ask.

Jobs are counted while they wait and run, and those of the last hour with the tokens and the money that they took.
An hour is a sliding one, in steps of a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from collab.errors import HourlyLimit, TooManyJobs
from collab.ids import JobId
from collab.ports import Clock

Scope = Literal["person", "room", "server"]
Measure = Literal["at_once", "jobs", "tokens", "cost"]
MEASURES: Final[tuple[Measure, ...]] = ("at_once", "jobs", "tokens", "cost")
HOUR: Final = 60
"""Minutes."""
MINUTE: Final = 60.0
"""Seconds."""
ACTIVE_SECONDS: Final = 60.0
"""A job of which nobody has spoken for so long is taken to have ended with its node."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one person, one room or the server may do; None is no bound.

    ``at_once`` are jobs that wait, are paused or run; the others are per hour, ``cost`` in US dollars.
    """

    at_once: int | None = None
    jobs: int | None = None
    tokens: int | None = None
    cost: float | None = None

    def of(self, measure: Measure) -> float | None:
        """One of the bounds."""
        match measure:
            case "at_once":
                return self.at_once
            case "jobs":
                return self.jobs
            case "tokens":
                return self.tokens
            case "cost":
                return self.cost


@dataclass(frozen=True, slots=True)
class Quotas:
    """The bounds of each. Those of rooms do not count what is at once: the room's own list does."""

    person: Bounds = Bounds(at_once=20)
    room: Bounds = Bounds()
    server: Bounds = Bounds(at_once=500)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose use is counted. ``name`` is a person's id or a room's; empty for the server."""

    scope: Scope
    name: str = ""


@dataclass(frozen=True, slots=True)
class Excess:
    """A bound that is reached: how much of it is used, and the seconds until less is."""

    account: Account
    measure: Measure
    bound: float
    used: float
    wait: float = 0.0


class Usage(Protocol):
    """The count, for all nodes. Methods raise StoreUnavailable and StoreError only."""

    async def admit(self, job: JobId, bounds: Sequence[tuple[Account, Bounds]]) -> Excess | None:
        """Counts a job in, in one step with the check; the first bound that does not allow it, in which case
        nothing is counted. One that is counted in already, and has not left, is so once.
        """
        ...

    async def exceeded(self, bounds: Sequence[tuple[Account, Bounds]]) -> Excess | None:
        """The first bound of tokens or of money that is reached."""
        ...

    async def spend(self, accounts: Sequence[Account], tokens: int, cost: float) -> None:
        """Notes what a job took."""
        ...

    async def renew(self, active: Mapping[JobId, Sequence[Account]]) -> None:
        """Says that these jobs have not ended, to be repeated more often than every ``ACTIVE_SECONDS``."""
        ...

    async def leave(self, job: JobId, accounts: Sequence[Account]) -> None:
        """The job has ended."""
        ...


def wait_for(spent: Iterable[tuple[int, float]], bound: float, minute: int, second: float) -> float:
    """Seconds until less than ``bound`` is left of what was spent, given by minute. ``second`` is how far the
    present ``minute`` has come.
    """
    rows = sorted(spent)
    left = sum(amount for _, amount in rows)
    for at, amount in rows:
        left -= amount
        if left < bound:
            return (at + HOUR - minute) * MINUTE - second
    return 0.0


@dataclass(slots=True)
class _Spent:
    """What an account took, by minute: jobs, tokens, US dollars."""

    active: dict[JobId, float] = field(default_factory=dict)
    minutes: dict[int, list[float]] = field(default_factory=dict)


class MemoryUsage:
    """Implements Usage for one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accounts: dict[Account, _Spent] = {}

    async def admit(self, job: JobId, bounds: Sequence[tuple[Account, Bounds]]) -> Excess | None:
        """See Usage.admit."""
        for account, _ in bounds:
            if job in self._of(account).active:
                await self.renew({job: [one for one, _ in bounds]})
                return None
        for account, bound in bounds:
            excess = self._check(account, bound, MEASURES)
            if excess is not None:
                return excess
        for account, _ in bounds:
            self._add(account, 0, 1.0)
        await self.renew({job: [account for account, _ in bounds]})
        return None

    async def exceeded(self, bounds: Sequence[tuple[Account, Bounds]]) -> Excess | None:
        """See Usage.exceeded."""
        found = (self._check(account, bound, ("tokens", "cost")) for account, bound in bounds)
        return next((excess for excess in found if excess is not None), None)

    async def spend(self, accounts: Sequence[Account], tokens: int, cost: float) -> None:
        """See Usage.spend."""
        for account in accounts:
            self._add(account, 1, tokens)
            self._add(account, 2, cost)

    async def renew(self, active: Mapping[JobId, Sequence[Account]]) -> None:
        """See Usage.renew."""
        until = self._clock.monotonic() + ACTIVE_SECONDS
        for job, accounts in active.items():
            for account in accounts:
                self._of(account).active[job] = until

    async def leave(self, job: JobId, accounts: Sequence[Account]) -> None:
        """See Usage.leave."""
        for account in accounts:
            self._of(account).active.pop(job, None)
        self._tidy()

    def _check(self, account: Account, bounds: Bounds, measures: Sequence[Measure]) -> Excess | None:
        spent = self._of(account)
        now = self._clock.monotonic()
        minute, second = divmod(now, MINUTE)
        for measure in measures:
            bound = bounds.of(measure)
            if bound is None:
                continue
            if measure == "at_once":
                used, wait = float(len(spent.active)), 0.0
            else:
                column = MEASURES.index(measure) - 1
                rows = [(at, row[column]) for at, row in spent.minutes.items()]
                used = sum(amount for _, amount in rows)
                wait = wait_for(rows, bound, int(minute), second)
            if used >= bound:
                return Excess(account, measure, bound, used, wait)
        return None

    def _add(self, account: Account, column: int, amount: float) -> None:
        minute = int(self._clock.monotonic() // MINUTE)
        self._of(account).minutes.setdefault(minute, [0.0, 0.0, 0.0])[column] += amount

    def _of(self, account: Account) -> _Spent:
        """What counts of an account by now."""
        spent = self._accounts.setdefault(account, _Spent())
        now = self._clock.monotonic()
        oldest = int(now // MINUTE) - HOUR
        for at in [at for at in spent.minutes if at <= oldest]:
            del spent.minutes[at]
        for job in [job for job, until in spent.active.items() if until <= now]:
            del spent.active[job]
        return spent

    def _tidy(self) -> None:
        for account in list(self._accounts):
            spent = self._of(account)
            if not spent.active and not spent.minutes:
                del self._accounts[account]


_WHO: Final[Mapping[Scope, tuple[str, str, str]]] = {
    "person": ("You have", "one person", "_per_person"),
    "room": ("This room has", "one room", "_per_room"),
    "server": ("This server has", "all together", ""),
}


def refusal(excess: Excess) -> TooManyJobs | HourlyLimit:
    """The error that says which bound is reached, the setting that holds it, and what to do."""
    who, whose, suffix = _WHO[excess.account.scope]
    if excess.measure == "at_once":
        return TooManyJobs(
            f"{who} {excess.used:,.0f} jobs that wait or run, as many as {whose} may have (limit_jobs{suffix}); "
            "wait for one to end, or cancel one."
        )
    if excess.measure == "jobs":
        said, bound = f"asked for {excess.used:,.0f} jobs", f"ask for {excess.bound:,.0f}"
    elif excess.measure == "tokens":
        said, bound = f"used {excess.used:,.0f} tokens of models", f"use {excess.bound:,.0f}"
    else:
        said, bound = f"spent ${excess.used:,.2f} on models", f"spend ${excess.bound:,.2f}"
    setting = f"hourly_{excess.measure}{suffix}"
    return HourlyLimit(
        f"{who} {said} within the last hour, and {whose} may {bound} ({setting}); ask again in "
        f"{_words(excess.wait)}.",
        retry_after=excess.wait,
    )


def _words(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{round(seconds / 60)} minutes"
