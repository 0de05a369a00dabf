"""Which rooms' jobs this node keeps, in the name of its lease."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from collab.errors import StoreError, StoreUnavailable
from collab.ids import RoomId
from collab.shared import Keep, SharedStore
from server.lease import Lease

logger = logging.getLogger(__name__)


class Keeping:
    """The keeps of this node. What it does not know of is another's."""

    def __init__(
        self,
        store: Callable[[], SharedStore],
        lease: Lease,
        look: Callable[[], Awaitable[None]],
        lost: Callable[[Sequence[RoomId]], None],
    ) -> None:
        """``look`` learns which nodes are alive now; ``lost`` is told of keeps that end unwanted."""
        self._store = store
        self._lease = lease
        self._look = look
        self._lost = lost
        self._keeps: dict[RoomId, Keep] = {}
        self._ending: dict[RoomId, int] = {}
        """Tokens of keeps that this node has given up, and the store may not have heard."""

    def keep(self, room: RoomId) -> Keep | None:
        """The keep of a room by this node, if it holds at this instant."""
        keep = self._keeps.get(room)
        return keep if keep is not None and self._lease.good else None

    async def claim(self, room: RoomId) -> Keep:
        """Makes this node the keeper unless another live one is; the keeper there is now.

        Raises StoreUnavailable.
        """
        if (held := self.keep(room)) is not None:
            return held
        if not self._lease.good:
            raise StoreUnavailable("This node cannot take jobs on before it reaches the store again.")
        node = self._lease.node
        keep = await self._store().claim(room, node, [])
        if keep.node != node and keep.node not in self._lease.live:
            # It may be newer than what this node knows.
            await self._look()
            if keep.node not in self._lease.live:
                keep = await self._store().claim(room, node, [keep.node])
        if keep.node == node and keep.token <= self._ending.get(room, -1):
            # What was to end it may still come, and end it under somebody who relies on it.
            await self._end(room, keep)
            keep = await self._store().claim(room, node, [])
        known = self._keeps.get(room)
        if known is not None and keep.token < known.token:
            # Overtaken by a newer answer, which it must not take back.
            return known
        if keep.node == node and node == self._lease.node:
            self._keeps[room] = keep
        elif known is not None and keep.token > known.token:
            self._lose(room)
        return keep

    async def unclaim(self, room: RoomId) -> None:
        """Ends this node's keep of a room. Raises StoreUnavailable."""
        keep = self._keeps.pop(room, None)
        if keep is not None:
            await self._end(room, keep)

    async def leave(self, room: RoomId) -> None:
        """The room was unloaded here. Raises StoreUnavailable."""
        keep = self._keeps.pop(room, None)
        if keep is not None:
            self._lost([room])
            await self._end(room, keep)

    async def _end(self, room: RoomId, keep: Keep) -> None:
        # Until the store has said that it is done, it may still be done later.
        self._ending[room] = keep.token
        await self._store().unclaim(room, keep)
        if self._ending.get(room) == keep.token:
            del self._ending[room]

    def drop(self) -> None:
        """Ends all keeps: the lease was not good for a moment, or is lost."""
        rooms = list(self._keeps)
        self._keeps.clear()
        if rooms:
            self._lost(rooms)

    async def verify(self) -> None:
        """Gives up the keeps that the store knows nothing of: it may have lost them, and given them to another."""
        for room, keep in list(self._keeps.items()):
            try:
                found = await self._store().claim(room, keep.node, [])
            except StoreError as error:
                logger.warning("this node could not ask whose a room's jobs are: %s", error.message)
                return
            if found != keep and self._keeps.get(room) == keep:
                self._lose(room)

    def _lose(self, room: RoomId) -> None:
        del self._keeps[room]
        self._lost([room])
