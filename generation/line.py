"""The line of one room: which of its jobs waits behind which, and which files those that run are writing.

Jobs go by priority. Among those of one priority people take turns, as in start-time fair queuing (Goyal, Vin and
Cheng 1996): a job gets its turn when it is pushed, one after its asker's last one that is not over, and never
before the turn that is served now. So ten jobs of one person do not hold up the single one of another. Whoever
moves a job decides against that: it gets a turn between those of its new neighbours.

A file has one writer at a time. A job waits while another one that runs, or that waits before it, is about one of
its files; jobs about other files go past it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from collab.errors import InvalidInput
from collab.ids import JobId, PersonId
from generation.views import Priority

RANKS: Final[dict[Priority, int]] = {"high": 0, "normal": 1, "low": 2}


@dataclass(frozen=True, slots=True)
class Entry:
    """A job as the line sees it. ``files`` are the shown paths that it is about, as far as that is known.

    ``turn`` is None for a job that comes to the end of its asker's; one that was in line before brings its own.
    """

    job: JobId
    person: PersonId
    priority: Priority = "normal"
    files: frozenset[str] = frozenset()
    turn: float | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry that has its place."""

    rank: int
    turn: float
    number: int
    entry: Entry

    @property
    def key(self) -> tuple[int, float, int]:
        """What the line is sorted by."""
        return self.rank, self.turn, self.number


class Line:
    """Jobs that wait, in order, and those that run."""

    def __init__(self) -> None:
        self._waiting: list[Placed] = []
        self._running: dict[JobId, Placed] = {}
        self._writes: dict[JobId, set[str]] = {}
        self._holders: dict[JobId, JobId] = {}
        """Of a job that runs and waits for a file, who writes that."""
        self._served: dict[int, float] = {}
        """The turn that was served last, of each priority."""
        self._count = 0

    def push(self, entry: Entry) -> float:
        """The job waits from now on; its turn."""
        rank = RANKS[entry.priority]
        turn = entry.turn if entry.turn is not None else self._turn(entry.person, rank)
        self._put(rank, turn, entry)
        return turn

    def push_first(self, entry: Entry) -> float:
        """The job waits from now on, before all others of its priority; its turn."""
        rank = RANKS[entry.priority]
        first = next((placed.turn for placed in self._waiting if placed.rank == rank), None)
        turn = self._served.get(rank, 0.0) if first is None else first - 1
        self._put(rank, turn, entry)
        return turn

    def remove(self, job: JobId) -> bool:
        """Takes a waiting job out; False if it does not wait."""
        before = len(self._waiting)
        self._waiting = [placed for placed in self._waiting if placed.entry.job != job]
        return len(self._waiting) < before

    def ready(self) -> list[Placed]:
        """The jobs that could run now beside those that do and beside each other, in order."""
        taken = {path for paths in self._writes.values() for path in paths}
        ready = []
        for placed in self._waiting:
            if not placed.entry.files & taken:
                ready.append(placed)
            # Who comes later about the same file does not go past, or the first one might wait for ever.
            taken |= placed.entry.files
        return ready

    def next(self) -> JobId | None:
        """The first job that may run, which counts as running until ``done``; None if there is none."""
        ready = self.ready()
        if not ready:
            return None
        placed = ready[0]
        self._waiting.remove(placed)
        self._running[placed.entry.job] = placed
        self._writes[placed.entry.job] = set(placed.entry.files)
        self._served[placed.rank] = max(self._served.get(placed.rank, 0.0), placed.turn)
        return placed.entry.job

    def done(self, job: JobId) -> bool:
        """The job runs no more; False if it did not."""
        self._writes.pop(job, None)
        self._holders = {one: other for one, other in self._holders.items() if job not in {one, other}}
        return self._running.pop(job, None) is not None

    def claim(self, job: JobId, paths: Collection[str]) -> JobId | None:
        """Makes a running job the writer of some files, all or none; the job that writes one of them already."""
        for other, written in self._writes.items():
            if other != job and not written.isdisjoint(paths):
                return other
        if job in self._writes:
            self._writes[job].update(paths)
            self._holders.pop(job, None)
        return None

    def may_wait(self, job: JobId, holder: JobId) -> bool:
        """Notes that a running job waits for a file that another one writes; False if that waits for this one."""
        other: JobId | None = holder
        while other is not None:
            if other == job:
                return False
            other = self._holders.get(other)
        self._holders[job] = holder
        return True

    def waits_for(self, job: JobId) -> JobId | None:
        """The job that must end before this one may run, because of a file; None if it waits for its turn only."""
        ahead: list[tuple[JobId, Collection[str]]] = list(self._writes.items())
        for placed in self._waiting:
            if placed.entry.job == job:
                return next((other for other, paths in ahead if not placed.entry.files.isdisjoint(paths)), None)
            ahead.append((placed.entry.job, placed.entry.files))
        return None

    def move(self, job: JobId, position: int) -> list[tuple[JobId, Priority, float]]:
        """Gives a waiting job another place, counted from 1; the jobs whose priority or turn that changed.

        A place among jobs of another priority brings that priority. Raises InvalidInput for one that does not
        wait.
        """
        placed = self._placed(job)
        rest = [other for other in self._waiting if other is not placed]
        at = min(max(position, 1), len(rest) + 1) - 1
        before = rest[at - 1] if at > 0 else None
        after = rest[at] if at < len(rest) else None
        lowest = before.rank if before is not None else min(RANKS.values())
        highest = after.rank if after is not None else max(RANKS.values())
        rank = min(max(placed.rank, lowest), highest)
        before = before if before is not None and before.rank == rank else None
        after = after if after is not None and after.rank == rank else None
        turn = _between(before, after, placed.turn)
        self._waiting = list(rest)
        self._put(rank, turn, replace(placed.entry, priority=_priority(rank)))
        changed = [(job, _priority(rank), turn)]
        if before is not None and after is not None and not before.turn < turn < after.turn:
            changed = self._space(rest[:at], rank, job, rest[at:])
        return changed

    def prioritise(self, job: JobId, priority: Priority) -> float:
        """Gives a waiting job another priority, and a place at the end of its asker's there; its turn.

        Raises InvalidInput for one that does not wait.
        """
        placed = self._placed(job)
        if placed.entry.priority == priority:
            return placed.turn
        self._waiting.remove(placed)
        return self.push(replace(placed.entry, priority=priority, turn=None))

    def order(self) -> list[JobId]:
        """The jobs that wait, the next one first."""
        return [placed.entry.job for placed in self._waiting]

    def running(self) -> Collection[JobId]:
        """The jobs that run."""
        return self._running.keys()

    @property
    def empty(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._waiting and not self._running

    def _put(self, rank: int, turn: float, entry: Entry) -> None:
        self._count += 1
        self._waiting.append(Placed(rank, turn, self._count, replace(entry, turn=turn)))
        self._waiting.sort(key=lambda placed: placed.key)

    def _turn(self, person: PersonId, rank: int) -> float:
        """The next turn of a person: after the last one that is not over, not before the one that is served."""
        mine = [
            placed.turn + 1
            for placed in (*self._waiting, *self._running.values())
            if placed.rank == rank and placed.entry.person == person
        ]
        return max([self._served.get(rank, 0.0), *mine])

    def _placed(self, job: JobId) -> Placed:
        for placed in self._waiting:
            if placed.entry.job == job:
                return placed
        raise InvalidInput(f"The job {job} does not wait in the queue, so it has no place there.", field="job")

    def _space(
        self, before: Iterable[Placed], rank: int, job: JobId, after: Iterable[Placed]
    ) -> list[tuple[JobId, Priority, float]]:
        """Numbers the turns of a priority anew, as there is no room between two of them."""
        moved = self._placed(job)
        same = [placed for placed in (*before, moved, *after) if placed.rank == rank]
        first = min(placed.turn for placed in same)
        others = [placed for placed in self._waiting if placed.rank != rank]
        self._waiting = others
        changed = []
        for at, placed in enumerate(same):
            self._put(rank, first + at, placed.entry)
            changed.append((placed.entry.job, _priority(rank), first + at))
        return changed


def _between(before: Placed | None, after: Placed | None, alone: float) -> float:
    if before is not None and after is not None:
        return (before.turn + after.turn) / 2
    if before is not None:
        return before.turn + 1
    return after.turn - 1 if after is not None else alone


def _priority(rank: int) -> Priority:
    return next(priority for priority, other in RANKS.items() if other == rank)
