"""Which job runs next: by priority, fair between rooms, first come first served inside a room."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from typing import Final, Protocol

from collab.ids import JobId, RoomId
from generation.views import Priority

_PRIORITIES: Final[tuple[Priority, ...]] = ("high", "normal", "low")


class Turns(Protocol):
    """Decides which of the jobs that wait is run next."""

    def push(self, room: RoomId, job: JobId, priority: Priority) -> None:
        """The job waits from now on."""
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


class JobQueue:
    """Jobs that wait, and how many run. ``running`` bounds all that run, ``per_room`` those of one room.

    Rooms of one priority take turns, so that a room with a hundred jobs does not hold up one with a single
    job.
    """

    def __init__(self, running: int, per_room: int) -> None:
        self._bound = running
        self._per_room = per_room
        self._waiting: dict[Priority, OrderedDict[RoomId, deque[JobId]]] = {
            priority: OrderedDict() for priority in _PRIORITIES
        }
        self._running: dict[JobId, RoomId] = {}
        self._in_room: Counter[RoomId] = Counter()

    def push(self, room: RoomId, job: JobId, priority: Priority) -> None:
        """The job waits from now on."""
        self._waiting[priority].setdefault(room, deque()).append(job)

    def pop(self) -> tuple[RoomId, JobId] | None:
        """The job to run now, which counts as running until ``done``; None if none may."""
        if len(self._running) >= self._bound:
            return None
        for rooms in self._waiting.values():
            for room, jobs in rooms.items():
                if self._in_room[room] >= self._per_room:
                    continue
                job = jobs.popleft()
                if jobs:
                    rooms.move_to_end(room)  # it is the other rooms' turn
                else:
                    del rooms[room]
                self._running[job] = room
                self._in_room[room] += 1
                return room, job
        return None

    def done(self, job: JobId) -> None:
        """The job runs no more."""
        room = self._running.pop(job, None)
        if room is not None:
            self._in_room[room] -= 1
            if not self._in_room[room]:
                del self._in_room[room]

    def remove(self, job: JobId) -> bool:
        """Takes a waiting job out; False if it does not wait."""
        for rooms in self._waiting.values():
            for room, jobs in rooms.items():
                if job in jobs:
                    jobs.remove(job)
                    if not jobs:
                        del rooms[room]
                    return True
        return False

    def drop(self, room: RoomId) -> None:
        """Forgets the jobs of a room that wait."""
        for rooms in self._waiting.values():
            rooms.pop(room, None)

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(jobs) for rooms in self._waiting.values() for jobs in rooms.values())
