"""The board of jobs of a simulated cluster, reached over its network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from collab.ids import JobId, NodeId, RoomId
from collab.ports import Clock
from collab.shared_memory import SharedMemory
from generation.board import MemoryBoard
from generation.sharing import Ticket
from generation.views import Priority

T = TypeVar("T")


class SharedBoard:
    """The board itself, and who waits for a ticket."""

    def __init__(self, shared: SharedMemory, clock: Clock) -> None:
        self.shared = shared
        self.board = MemoryBoard(clock)
        self.waiting: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        """Wakes all who wait."""
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class NodeBoard:
    """Implements ``generation.sharing.JobBoard`` for one process."""

    def __init__(self, shared: SharedBoard) -> None:
        self.writer = ""
        self._shared = shared

    async def post(self, priority: Priority, room: RoomId, job: JobId) -> None:
        await self._reach("post", lambda: self._shared.board.post(priority, room, job))
        self._shared.ring()

    async def take(self, node: NodeId, wait: float) -> Ticket | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            ticket = await self._reach("take", lambda: self._shared.board.take(node, 0))
            if ticket is not None or loop.time() >= until:
                return ticket
            future = loop.create_future()
            self._shared.waiting.append(future)
            await asyncio.wait([future], timeout=until - loop.time())

    async def beat(self, node: NodeId, tickets: Sequence[Ticket]) -> list[Ticket]:
        return await self._reach("beat", lambda: self._shared.board.beat(node, tickets))

    async def reclaim(self, node: NodeId, idle: float) -> list[Ticket]:
        return await self._reach("reclaim", lambda: self._shared.board.reclaim(node, idle))

    async def hand(self, ticket: Ticket, node: NodeId) -> None:
        await self._reach("hand", lambda: self._shared.board.hand(ticket, node))

    async def done(self, ticket: Ticket) -> None:
        await self._reach("done", lambda: self._shared.board.done(ticket))

    async def depart(self, node: NodeId) -> None:
        await self._reach("depart", lambda: self._shared.board.depart(node))
        self._shared.ring()

    async def _reach(self, what: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return await self._shared.shared.ask(self.writer, what, lambda: now_of(work()))


def now_of(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the board waited")
