"""Which jobs of the rooms that this node keeps may run next, where a board of all nodes says whose turn it is.

A room has only so many tickets on the board at a time as jobs of it may run, so rooms take turns on all nodes
however many jobs one of them has. A ticket is a turn of its room: what runs on it is the room's next job, by
priority and then by age, which keeps the order within a room even if tickets overtake each other.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from collab.ids import JobId, RoomId
from generation.views import Priority

_RANKS: Final[dict[Priority, int]] = {"high": 0, "normal": 1, "low": 2}


@dataclass(slots=True)
class _Room:
    """``waiting`` holds (rank, number, job) in the order in which they run."""

    waiting: list[tuple[int, int, JobId]] = field(default_factory=list)
    running: set[JobId] = field(default_factory=set)
    posted: dict[JobId, tuple[int, float]] = field(default_factory=dict)
    """The tickets on the board, by the job that each names: its rank, and when it was posted."""


class RoomTurns:
    """Implements generation.queue.Turns. ``changed`` names the rooms for which tickets may be due; ``notify`` is
    called when there is one more.
    """

    def __init__(self, per_room: int, notify: Callable[[], None] = lambda: None) -> None:
        self._per_room = per_room
        self._notify = notify
        self._rooms: dict[RoomId, _Room] = {}
        self._count = 0
        self._changed: set[RoomId] = set()

    def push(self, room: RoomId, job: JobId, priority: Priority) -> None:
        """The job waits from now on."""
        self._count += 1
        insort(self._rooms.setdefault(room, _Room()).waiting, (_RANKS[priority], self._count, job))
        self._change(room)

    def remove(self, job: JobId) -> bool:
        """Takes a waiting job out; False if it does not wait. Its ticket is another job's turn then."""
        for room, state in self._rooms.items():
            for entry in state.waiting:
                if entry[2] == job:
                    state.waiting.remove(entry)
                    self._change(room)
                    return True
        return False

    def done(self, job: JobId) -> None:
        """The job runs no more."""
        for room, state in list(self._rooms.items()):
            if job in state.running:
                state.running.discard(job)
                self._change(room)
                self._tidy(room)

    def drop(self, room: RoomId) -> None:
        """Forgets a room, as this node keeps it no more."""
        self._rooms.pop(room, None)
        self._changed.discard(room)

    def next(self, room: RoomId) -> JobId | None:
        """The room's next job, which counts as running until ``done``; None if none waits or may run."""
        state = self._rooms.get(room)
        if state is None or not state.waiting or len(state.running) >= self._per_room:
            return None
        _, _, job = state.waiting.pop(0)
        state.running.add(job)
        self._change(room)
        return job

    def busy(self, room: RoomId) -> bool:
        """Whether a job of the room runs here."""
        state = self._rooms.get(room)
        return state is not None and bool(state.running)

    # The board

    def changed(self) -> list[RoomId]:
        """The rooms for which ``due`` may say something new since the last call."""
        changed = list(self._changed)
        self._changed.clear()
        return changed

    def due(self, room: RoomId, now: float) -> list[tuple[Priority, JobId]]:
        """The tickets to post for a room now, which count as posted.

        As many of each priority, or a higher one, as jobs may run beside those that do: a job of high priority
        does not wait for the tickets of low ones.
        """
        state = self._rooms.get(room)
        if state is None:
            return []
        names: dict[int, Priority] = {rank: priority for priority, rank in _RANKS.items()}
        due = []
        for rank, _, job in state.waiting:
            ahead = sum(other <= rank for other, _ in state.posted.values())
            if len(state.running) + ahead >= self._per_room:
                break
            if job not in state.posted:
                state.posted[job] = rank, now
                due.append((names[rank], job))
        return due

    def unposted(self, room: RoomId, jobs: Iterable[JobId]) -> None:
        """Tickets are not on the board: they were taken from it, or could not be posted."""
        state = self._rooms.get(room)
        if state is None:
            return
        for job in jobs:
            state.posted.pop(job, None)
        self._change(room)
        self._tidy(room)

    def doubt(self, before: float) -> None:
        """Has tickets posted again that were posted ``before`` this time and never came: the board may have
        lost them. One too many does no harm.
        """
        for room, state in list(self._rooms.items()):
            old = [job for job, (_, at) in state.posted.items() if at < before]
            for job in old:
                del state.posted[job]
            if old:
                self._change(room)
                self._tidy(room)

    def _change(self, room: RoomId) -> None:
        self._changed.add(room)
        self._notify()

    def _tidy(self, room: RoomId) -> None:
        state = self._rooms[room]
        if not (state.waiting or state.running or state.posted):
            del self._rooms[room]
