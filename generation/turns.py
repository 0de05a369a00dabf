"""Which jobs of the rooms that this node keeps may run next, where a board of all nodes says whose turn it is.

A room has only so many tickets on the board at a time as jobs of it may run, so rooms take turns on all nodes
however many jobs one of them has. A ticket is a turn of its room: what runs on it is the next job of the room's
line, which keeps the order within a room even if tickets overtake each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from collab.ids import JobId, RoomId
from generation.line import RANKS, Entry, Line
from generation.views import Priority

_NAMES: Final[dict[int, Priority]] = {rank: priority for priority, rank in RANKS.items()}


@dataclass(slots=True)
class _Room:
    line: Line = field(default_factory=Line)
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
        self._changed: set[RoomId] = set()

    def push(self, room: RoomId, entry: Entry, *, first: bool = False) -> float:
        """See Turns.push."""
        line = self._rooms.setdefault(room, _Room()).line
        turn = line.push_first(entry) if first else line.push(entry)
        self._change(room)
        return turn

    def remove(self, job: JobId) -> bool:
        """See Turns.remove. Its ticket is another job's turn then."""
        for room, state in self._rooms.items():
            if state.line.remove(job):
                self._change(room)
                return True
        return False

    def done(self, job: JobId) -> None:
        """See Turns.done."""
        for room, state in list(self._rooms.items()):
            if state.line.done(job):
                self._change(room)
                self._tidy(room)

    def drop(self, room: RoomId) -> None:
        """Forgets a room, as this node keeps it no more."""
        self._rooms.pop(room, None)
        self._changed.discard(room)

    def order(self, room: RoomId) -> list[JobId]:
        """See Turns.order."""
        return self._line(room).order()

    def waits_for(self, room: RoomId, job: JobId) -> JobId | None:
        """See Turns.waits_for."""
        return self._line(room).waits_for(job)

    def claim(self, room: RoomId, job: JobId, paths: Collection[str]) -> JobId | None:
        """See Turns.claim."""
        return self._line(room).claim(job, paths)

    def may_wait(self, room: RoomId, job: JobId, holder: JobId) -> bool:
        """See Turns.may_wait."""
        return self._line(room).may_wait(job, holder)

    def move(self, room: RoomId, job: JobId, position: int) -> list[tuple[JobId, Priority, float]]:
        """See Turns.move."""
        moved = self._line(room).move(job, position)
        self._change(room)
        return moved

    def prioritise(self, room: RoomId, job: JobId, priority: Priority) -> float:
        """See Turns.prioritise."""
        turn = self._line(room).prioritise(job, priority)
        self._change(room)
        return turn

    def next(self, room: RoomId) -> JobId | None:
        """The room's next job, which counts as running until ``done``; None if none waits or may run."""
        state = self._rooms.get(room)
        if state is None or len(state.line.running()) >= self._per_room:
            return None
        job = state.line.next()
        if job is not None:
            self._change(room)
        return job

    def busy(self, room: RoomId) -> bool:
        """Whether a job of the room runs here."""
        state = self._rooms.get(room)
        return state is not None and bool(state.line.running())

    # The board

    def changed(self) -> list[RoomId]:
        """The rooms for which ``due`` may say something new since the last call."""
        changed = list(self._changed)
        self._changed.clear()
        return changed

    def due(self, room: RoomId, now: float) -> list[tuple[Priority, JobId]]:
        """The tickets to post for a room now, which count as posted.

        As many of each priority, or a higher one, as jobs may run beside those that do: a job of high priority
        does not wait for the tickets of low ones. A job that must wait for a file gets none before that is free.
        """
        state = self._rooms.get(room)
        if state is None:
            return []
        due = []
        for placed in state.line.ready():
            job = placed.entry.job
            known = state.posted.get(job)
            if known is not None and known[0] <= placed.rank:
                continue
            ahead = sum(other <= placed.rank for other, _ in state.posted.values())
            if len(state.line.running()) + ahead >= self._per_room:
                break
            # One that was posted with a lower priority gets a better ticket; the other one does no harm.
            state.posted[job] = placed.rank, now
            due.append((_NAMES[placed.rank], job))
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

    def _line(self, room: RoomId) -> Line:
        state = self._rooms.get(room)
        return state.line if state is not None else Line()

    def _change(self, room: RoomId) -> None:
        self._changed.add(room)
        self._notify()

    def _tidy(self, room: RoomId) -> None:
        state = self._rooms[room]
        if state.line.empty and not state.posted:
            del self._rooms[room]
