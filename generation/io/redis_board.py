"""The board of jobs that may run next, on Redis Streams: one line for each priority, one group of consumers.

A ticket that a node has taken is pending in the group under the node's name, until it is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from collab.ids import JobId, NodeId, RoomId
from generation.io import redis_board_scripts as scripts
from generation.sharing import Ticket
from generation.views import Priority

if TYPE_CHECKING:
    from collab.io.redis_link import RedisLink

logger = logging.getLogger(__name__)

PRIORITIES: Final[tuple[Priority, ...]] = ("high", "normal", "low")
FORGET_SECONDS: Final = 600.0
"""After so long without work a node's name is taken out of the group; it comes back with its next ticket."""


class RedisJobBoard:
    """Implements ``generation.sharing.JobBoard``. All keys lie in one slot of a Cluster."""

    def __init__(self, link: RedisLink, prefix: str, *, forget_seconds: float = FORGET_SECONDS) -> None:
        self._link = link
        self._forget_ms = int(forget_seconds * 1000)
        lines = [f"{prefix}jobs:{{board}}:{priority}" for priority in PRIORITIES]
        self._keys = [*lines, f"{prefix}jobs:{{board}}:bell"]
        self._take = link.prepare(scripts.TAKE)
        self._beat = link.prepare(scripts.BEAT)
        self._reclaim = link.prepare(scripts.RECLAIM)
        self._hand = link.prepare(scripts.HAND)
        self._done = link.prepare(scripts.DONE)
        self._depart = link.prepare(scripts.DEPART)

    async def post(self, priority: Priority, room: RoomId, job: JobId) -> None:
        """See JobBoard.post."""
        key = self._keys[_line(priority) - 1]
        with self._link.failures():
            await self._link.client.execute_command("XADD", key, "*", "room", room, "job", job)

    async def take(self, node: NodeId, wait: float) -> Ticket | None:
        """See JobBoard.take. When it is cancelled, a ticket may be this node's that nobody works on: it comes
        back with ``reclaim``.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            line, *rest = await self._link.script(self._take, self._keys, [node])
            if line == 0:
                left = until - loop.time()
                if left <= 0:
                    return None
                await self._wait(rest, left)
            elif (ticket := await self._read(line, *rest)) is not None:
                return ticket

    async def beat(self, node: NodeId, tickets: Sequence[Ticket]) -> list[Ticket]:
        """See JobBoard.beat. A ticket that Redis has lost is not said to be another node's."""
        if not tickets:
            return []
        pairs = [part for ticket in tickets for part in (_line(ticket.priority), ticket.id)]
        lost = await self._link.script(self._beat, self._keys, [node, *pairs])
        return [tickets[number - 1] for number in lost]

    async def reclaim(self, node: NodeId, idle: float) -> list[Ticket]:
        """See JobBoard.reclaim. What this node took itself and has not beaten for so long is among them."""
        found = await self._link.script(
            self._reclaim, self._keys, [node, max(1, int(idle * 1000)), self._forget_ms]
        )
        tickets = [await self._read(*one) for one in found]
        return [ticket for ticket in tickets if ticket is not None]

    async def hand(self, ticket: Ticket, node: NodeId) -> None:
        """See JobBoard.hand. A ticket that is done meanwhile stays done."""
        await self._link.script(self._hand, self._keys, [node, _line(ticket.priority), ticket.id])

    async def done(self, ticket: Ticket) -> None:
        """See JobBoard.done."""
        await self._remove(_line(ticket.priority), ticket.id)

    async def depart(self, node: NodeId) -> None:
        """See JobBoard.depart. What goes back is taken before all that waits in its line."""
        await self._link.script(self._depart, self._keys, [node])

    async def _wait(self, ends: Sequence[bytes], seconds: float) -> None:
        """Waits until something was added after these ends. It takes nothing, so it may be cancelled."""
        with self._link.failures():
            async with asyncio.timeout(seconds + self._link.command_timeout):
                await self._link.blocking().execute_command(
                    "XREAD", "BLOCK", max(1, int(seconds * 1000)), "STREAMS", *self._keys, *ends
                )

    async def _read(self, line: int, name: bytes, deliveries: int, fields: Sequence[bytes]) -> Ticket | None:
        values: dict[bytes, Any] = dict(zip(fields[::2], fields[1::2], strict=False))
        try:
            room, job = RoomId(values[b"room"].decode()), JobId(values[b"job"].decode())
        except (KeyError, UnicodeDecodeError):
            logger.warning("Took %s from the job board, which is no ticket, and removed it.", name.decode())
            await self._remove(line, name.decode())
            return None
        return Ticket(name.decode(), PRIORITIES[line - 1], room, job, deliveries)

    async def _remove(self, line: int, name: str) -> None:
        await self._link.script(self._done, self._keys, ["", line, name])


def _line(priority: Priority) -> int:
    """Its place among the keys, from 1 as the scripts count."""
    return PRIORITIES.index(priority) + 1
