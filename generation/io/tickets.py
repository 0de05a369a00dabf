"""A node at the board of jobs: takes tickets while it has a free place, and runs jobs on them.

A ticket is only a turn. Which node runs a room's jobs is decided by who keeps the room: a node that holds a ticket
of a room that another live one keeps hands it over. So a ticket that is lost, or there twice, costs time and
never runs a job twice.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, Protocol

from collab.errors import CollabError, KeepLost, StoreError, StoreUnavailable, TryLater
from collab.ids import JobId, NodeId, RoomId
from collab.ports import Clock
from generation.sharing import JobBoard, Peers, Ticket
from generation.turns import RoomTurns


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a node is at the board, in seconds."""

    take: float = 2.0
    """So long it waits for a ticket at a time."""
    beat: float = 2.0
    idle: float = 7.0
    """A ticket that nobody has spoken for so long is taken over: longer than a node's lease, so that whoever takes
    it finds the dead node's rooms free.
    """
    retry: float = 0.5
    lost: float = 60.0
    """A ticket that was posted and did not come for so long is posted again."""


PACE: Final = Pace()
_TRIES: Final = 5
"""How often a node tries to bring a job to its keeper, or to run it."""

logger = logging.getLogger(__name__)


class Keeper(Protocol):
    """What the tickets need of the jobs. ``SharedGeneration`` implements it."""

    async def adopt(self, room: RoomId) -> None:
        """Reads the book of a room that this node keeps. Raises StoreError, KeepLost."""
        ...

    def start(self, room: RoomId, job: JobId, group: asyncio.TaskGroup) -> asyncio.Task[None]:
        """Runs a job in a task of the group."""
        ...

    async def give_up(self, room: RoomId) -> None:
        """Ends this node's keep of a room in which nothing runs. Raises StoreError."""
        ...

    async def offer(self, node: NodeId, ticket: Ticket) -> bool:
        """Whether the keeper takes a ticket; False when it has given up the room. Raises TryLater, KeepLost."""
        ...


@dataclass(slots=True)
class _Held:
    ticket: Ticket
    task: asyncio.Task[None] | None = None
    ours: bool = True
    """Whether the board has it as this node's."""


class Tickets:
    """The tickets of this node. Use ``run`` as a task; ``leave`` ends it."""

    def __init__(
        self,
        peers: Peers,
        board: JobBoard,
        turns: RoomTurns,
        keeper: Keeper,
        clock: Clock,
        most: int,
        wake: asyncio.Event,
        pace: Pace = PACE,
    ) -> None:
        """``most`` jobs run here at a time; ``wake`` is set whenever the turns have changed."""
        self._peers = peers
        self._board = board
        self._turns = turns
        self._keeper = keeper
        self._clock = clock
        self._most = most
        self._places = asyncio.Semaphore(most)
        self._wake = wake
        self._pace = pace
        self._held: dict[str, _Held] = {}
        self._fewer = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._loops: list[asyncio.Task[None]] = []
        self._leaving = False
        self._barred_until = float("-inf")

    async def run(self) -> None:
        """Works until cancelled, or until ``leave``."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                self._loops = [group.create_task(loop) for loop in (self._take(), self._beat(), self._post())]
                await asyncio.wait(self._loops)
            finally:
                self._group = None

    async def accept(self, ticket: Ticket) -> bool:
        """Takes a ticket of a room that this node keeps; False once it has given up the room instead.

        Raises KeepLost, StoreError.
        """
        if self._peers.keep(ticket.room) is None:
            raise KeepLost("This node does not keep the room's jobs any more; ask again.")
        if ticket.id in self._held:
            return True
        if not self._leaving and (len(self._held) < self._most or self._turns.busy(ticket.room)):
            self._begin(ticket)
            return True
        await self._keeper.give_up(ticket.room)
        return False

    def stop(self) -> None:
        """Takes no more tickets, and lets go of those on which nothing runs."""
        self._leaving = True
        for loop in self._loops:
            loop.cancel()
        for held in list(self._held.values()):
            if held.task is not None:
                held.task.cancel()

    async def leave(self) -> None:
        """Puts back what this node has, after ``stop``. Raises StoreError."""
        tasks = [held.task for held in self._held.values() if held.task is not None]
        if tasks:
            await asyncio.wait(tasks)
        await self._board.depart(self._peers.node)

    # The board

    async def _take(self) -> None:
        while True:
            if self._barred:
                await asyncio.sleep(self._pace.retry)
                continue
            if len(self._held) >= self._most:
                self._fewer.clear()
                await self._fewer.wait()
                continue
            try:
                ticket = await self._board.take(self._peers.node, self._pace.take)
            except StoreError as error:
                logger.warning("no job can be taken from the board: %s", error.message)
                await asyncio.sleep(self._pace.retry)
                continue
            if ticket is not None:
                self._begin(ticket)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._pace.beat)
            self._turns.doubt(self._clock.monotonic() - self._pace.lost)
            self._wake.set()
            try:
                await self._renew()
            except StoreError as error:
                logger.warning("the board of jobs cannot be reached: %s", error.message)

    async def _renew(self) -> None:
        node = self._peers.node
        ours = [held.ticket for held in self._held.values() if held.ours]
        for ticket in await self._board.beat(node, ours):
            held = self._held.get(ticket.id)
            if held is not None:
                # What runs on it goes on for as long as this node keeps the room.
                held.ours = False
        if self._barred:
            return
        for ticket in await self._board.reclaim(node, self._pace.idle):
            if ticket.id in self._held:
                self._held[ticket.id].ours = True
            elif len(self._held) < self._most:
                self._begin(ticket)
            else:
                await self._return(ticket)

    async def _post(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            for room in self._turns.changed():
                if self._peers.keep(room) is not None:
                    await self._post_due(room)

    async def _post_due(self, room: RoomId) -> None:
        due = self._turns.due(room, self._clock.monotonic())
        for at, (priority, job) in enumerate(due):
            try:
                await self._board.post(priority, room, job)
            except StoreError as error:
                logger.warning("a job waits, as it cannot be put on the board: %s", error.message)
                self._turns.unposted(room, [job for _, job in due[at:]])
                await asyncio.sleep(self._pace.retry)
                return

    # One ticket

    def _begin(self, ticket: Ticket) -> None:
        if self._group is None:
            return  # The node stops: the ticket goes to another one when it has been silent for a while.
        held = self._held[ticket.id] = _Held(ticket)
        held.task = self._group.create_task(self._use(held), name=f"ticket {ticket.id}")

    async def _use(self, held: _Held) -> None:
        ticket = held.ticket
        try:
            for _ in range(_TRIES):
                try:
                    if await self._bring(held) and await self._work(ticket) and held.ours:
                        await self._board.done(ticket)
                    return
                except (StoreUnavailable, TryLater, KeepLost) as error:
                    logger.info("a job waits a moment: %s", error.message, extra={"room": ticket.room})
                    await asyncio.sleep(self._pace.retry)
                    if not held.ours:
                        return
            await self._put_back(ticket)
        except CollabError as error:
            logger.error("a job cannot be run: %s", error.message, extra={"room": ticket.room})
            await self._discard(ticket)
        finally:
            if self._held.get(ticket.id) is held:
                del self._held[ticket.id]
            self._fewer.set()

    async def _bring(self, held: _Held) -> bool:
        """Whether this node keeps the ticket's room; otherwise the keeper has the ticket now."""
        ticket = held.ticket
        while True:
            keep = await self._peers.claim(ticket.room)
            if keep.node == self._peers.node:
                return True
            held.ours = False
            await self._board.hand(ticket, keep.node)
            try:
                if await self._keeper.offer(keep.node, ticket):
                    return False
            except TryLater as error:
                # It may have been heard. If it was not, nobody speaks for the ticket, and it is taken over.
                logger.info("a job was handed over unheard: %s", error.message, extra={"room": ticket.room})
                return False
            except KeepLost:
                logger.debug("a room's keeper has changed", extra={"room": ticket.room})
            await self._board.hand(ticket, self._peers.node)
            held.ours = True

    async def _work(self, ticket: Ticket) -> bool:
        """Runs the room's next job, if there is one; whether the ticket is used up."""
        room = ticket.room
        async with self._places:
            await self._keeper.adopt(room)
            # Nothing waits between these: the ticket is either on the board or used.
            self._turns.unposted(room, [ticket.job])
            job = self._turns.next(room)
            if job is None or self._group is None:
                return True
            task = self._keeper.start(room, job, self._group)
            await asyncio.wait({task})
            # Otherwise the run was dropped with the keep: whoever takes the ticket over goes on with it.
            return self._peers.keep(room) is not None

    async def _put_back(self, ticket: Ticket) -> None:
        """Leaves a ticket to the other nodes, as this one can do nothing with it, and takes none for a while."""
        self._barred_until = self._clock.monotonic() + self._pace.idle
        try:
            await self._return(ticket)
        except StoreError as error:
            logger.warning("a ticket is left to whoever finds it: %s", error.message)

    async def _return(self, ticket: Ticket) -> None:
        await self._board.post(ticket.priority, ticket.room, ticket.job)
        await self._board.done(ticket)

    @property
    def _barred(self) -> bool:
        return self._clock.monotonic() < self._barred_until

    async def _discard(self, ticket: Ticket) -> None:
        try:
            await self._board.done(ticket)
        except StoreError as error:
            logger.warning("a ticket stays on the board: %s", error.message)
