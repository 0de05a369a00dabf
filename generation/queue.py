"""Which job runs next: by priority, fair between rooms, and inside a room as its line says."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Protocol

from collab.ids import JobId, RoomId
from generation.line import Entry, Line
from generation.views import Priority


class Turns(Protocol):
    """Decides which of the jobs that wait is run next. Everything about a room acts on its ``Line``."""

    def push(self, room: RoomId, entry: Entry, *, first: bool = False) -> float:
        """The job waits from now on, with ``first`` before all others of its priority; its turn."""
        ...

    def done(self, job: JobId) -> None:
        """The job runs no more."""
        ...

    def remove(self, job: JobId) -> bool:
        """Takes a waiting job out; False if it does not wait."""
        ...

    def drop(self, room: RoomId) -> None:
        """Forgets the jobs of a room that wait."""
        ...

    def order(self, room: RoomId) -> list[JobId]:
        """The jobs of a room that wait, the next one first."""
        ...

    def waits_for(self, room: RoomId, job: JobId) -> JobId | None:
        """The job that must end before a waiting one may run, because of a file."""
        ...

    def claim(self, room: RoomId, job: JobId, paths: Collection[str]) -> JobId | None:
        """Makes a running job the writer of some files, all or none; the job that writes one of them already."""
        ...

    def may_wait(self, room: RoomId, job: JobId, holder: JobId) -> bool:
        """See Line.may_wait."""
        ...

    def move(self, room: RoomId, job: JobId, position: int) -> list[tuple[JobId, Priority, float]]:
        """See Line.move. Raises InvalidInput."""
        ...

    def prioritise(self, room: RoomId, job: JobId, priority: Priority) -> float:
        """See Line.prioritise. Raises InvalidInput."""
        ...


class JobQueue:
    """Jobs that wait, and how many run. ``running`` bounds all that run, ``per_room`` those of one room.

    Rooms of one priority take turns, so that a room with a hundred jobs does not hold up one with a single
    job. Implements Turns.
    """

    def __init__(self, running: int, per_room: int) -> None:
        self._bound = running
        self._per_room = per_room
        self._lines: OrderedDict[RoomId, Line] = OrderedDict()
        self._running: dict[JobId, RoomId] = {}

    def push(self, room: RoomId, entry: Entry, *, first: bool = False) -> float:
        """See Turns.push."""
        line = self._lines.setdefault(room, Line())
        return line.push_first(entry) if first else line.push(entry)

    def pop(self) -> tuple[RoomId, JobId] | None:
        """The job to run now, which counts as running until ``done``; None if none may."""
        if len(self._running) >= self._bound:
            return None
        best: tuple[int, RoomId] | None = None
        for room, line in self._lines.items():
            if len(line.running()) >= self._per_room:
                continue
            ready = line.ready()
            if ready and (best is None or ready[0].rank < best[0]):
                best = ready[0].rank, room
        if best is None:
            return None
        room = best[1]
        job = self._lines[room].next()
        if job is None:
            return None
        self._lines.move_to_end(room)  # it is the other rooms' turn
        self._running[job] = room
        return room, job

    def done(self, job: JobId) -> None:
        """See Turns.done."""
        room = self._running.pop(job, None)
        if room is not None:
            self._lines[room].done(job)
            self._tidy(room)

    def remove(self, job: JobId) -> bool:
        """See Turns.remove."""
        for room, line in self._lines.items():
            if line.remove(job):
                self._tidy(room)
                return True
        return False

    def drop(self, room: RoomId) -> None:
        """See Turns.drop."""
        line = self._line(room)
        for job in line.order():
            line.remove(job)
        self._tidy(room)

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
        return self._line(room).move(job, position)

    def prioritise(self, room: RoomId, job: JobId, priority: Priority) -> float:
        """See Turns.prioritise."""
        return self._line(room).prioritise(job, priority)

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(line.order()) for line in self._lines.values())

    def _line(self, room: RoomId) -> Line:
        return self._lines.get(room) or Line()

    def _tidy(self, room: RoomId) -> None:
        if room in self._lines and self._lines[room].empty:
            del self._lines[room]
