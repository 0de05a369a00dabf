"""The twin in memory of the job board: several nodes of one process share one object."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from collab.errors import StoreUnavailable
from collab.ids import JobId, NodeId, RoomId
from collab.ports import Clock
from generation.sharing import Ticket
from generation.views import Priority

PRIORITIES: Final[tuple[Priority, ...]] = ("high", "normal", "low")


class Bell(Protocol):
    """Wakes who waits for a ticket. ``generation/io/bell.py`` has the one of an event loop."""

    def ring(self) -> None:
        """Wakes all who wait."""
        ...

    async def wait(self, seconds: float) -> None:
        """Returns when it rings next, or after so many seconds of the board's clock."""
        ...


@dataclass(slots=True)
class _Taken:
    ticket: Ticket
    node: NodeId
    heard: float
    """When the node was last heard of, in seconds of the clock."""


class MemoryBoard:
    """Implements ``generation.sharing.JobBoard``.

    ``away`` set to True makes every operation raise StoreUnavailable; ``wipe`` loses all, as a Redis without its
    file does.
    """

    def __init__(self, clock: Clock, bell: Bell | None = None) -> None:
        """Without a bell ``take`` does not wait."""
        self._clock = clock
        self._bell = bell
        self._count = 0
        self._first = 1
        """The lowest number that was not lost."""
        self._lines: dict[Priority, deque[Ticket]] = {priority: deque() for priority in PRIORITIES}
        self._taken: dict[str, _Taken] = {}
        self.away = False

    async def post(self, priority: Priority, room: RoomId, job: JobId) -> None:
        """See JobBoard.post."""
        self._reach()
        self._count += 1
        self._lines[priority].append(Ticket(str(self._count), priority, room, job, 0))
        self._ring()

    async def take(self, node: NodeId, wait: float) -> Ticket | None:
        """See JobBoard.take."""
        until = self._clock.monotonic() + wait
        while True:
            self._reach()
            for priority in PRIORITIES:
                if self._lines[priority]:
                    return self._give(self._lines[priority].popleft(), node)
            left = until - self._clock.monotonic()
            if left <= 0 or self._bell is None:
                return None
            await self._bell.wait(left)

    async def beat(self, node: NodeId, tickets: Sequence[Ticket]) -> list[Ticket]:
        """See JobBoard.beat. A ticket that the board has lost is not said to be another node's."""
        self._reach()
        lost: list[Ticket] = []
        for ticket in tickets:
            taken = self._taken.get(ticket.id)
            if taken is not None and taken.node == node:
                taken.heard = self._clock.monotonic()
            elif taken is not None or int(ticket.id) >= self._first:
                lost.append(ticket)
        return lost

    async def reclaim(self, node: NodeId, idle: float) -> list[Ticket]:
        """See JobBoard.reclaim. What this node took itself and has not beaten for so long is among them."""
        self._reach()
        before = self._clock.monotonic() - idle
        return self._move(lambda taken: taken.heard <= before, node)

    async def hand(self, ticket: Ticket, node: NodeId) -> None:
        """See JobBoard.hand. A ticket that is done meanwhile stays done."""
        self._reach()
        self._move(lambda taken: taken.ticket.id == ticket.id, node)

    async def done(self, ticket: Ticket) -> None:
        """See JobBoard.done."""
        self._reach()
        self._taken.pop(ticket.id, None)

    async def depart(self, node: NodeId) -> None:
        """See JobBoard.depart. What goes back is taken before all that waits in its line."""
        self._reach()
        mine = [taken.ticket for taken in self._taken.values() if taken.node == node]
        for ticket in sorted(mine, key=lambda ticket: int(ticket.id), reverse=True):
            del self._taken[ticket.id]
            self._lines[ticket.priority].appendleft(ticket)
        if mine:
            self._ring()

    def wipe(self) -> None:
        """Loses all tickets."""
        for line in self._lines.values():
            line.clear()
        self._taken.clear()
        self._first = self._count + 1

    def _give(self, ticket: Ticket, node: NodeId) -> Ticket:
        given = replace(ticket, deliveries=ticket.deliveries + 1)
        self._taken[ticket.id] = _Taken(given, node, self._clock.monotonic())
        return given

    def _move(self, true: Callable[[_Taken], bool], node: NodeId) -> list[Ticket]:
        found = [taken.ticket for taken in self._taken.values() if true(taken)]
        found.sort(key=lambda ticket: (PRIORITIES.index(ticket.priority), int(ticket.id)))
        return [self._give(ticket, node) for ticket in found]

    def _reach(self) -> None:
        if self.away:
            raise StoreUnavailable("The job board cannot be reached; it is tried again.")

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.ring()
