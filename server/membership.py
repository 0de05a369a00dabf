"""How a process stays a member of its cluster: its lease, its place on its rooms' lists, and who else is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Final

from collab.errors import StoreError
from collab.ids import NodeId, Random, RoomId
from collab.ports import Clock
from collab.shared import SharedStore
from server.bus_messages import Hello
from server.keeping import Keeping
from server.lease import RENEW_SECONDS, Lease
from server.log_reader import LogReader
from server.questions import Questions
from server.room_link import RoomLink

SHOW_SECONDS: Final = 5.0
"""How often a node tells all that it speaks for, so that what the bus has lost is put right."""
CHECK_SECONDS: Final = 10.0
"""How often the logs of all rooms are looked at, though nothing seems to be missing."""
SILENT_SECONDS: Final = 1.5 * SHOW_SECONDS
"""A node that is not heard of in a room for so long may not hold it."""

logger = logging.getLogger(__name__)


class Membership:
    """Renews the lease, and puts right what a lost one, a lost message or a lost list has left wrong."""

    def __init__(
        self,
        lease: Lease,
        links: Mapping[RoomId, RoomLink],
        store: Callable[[], SharedStore],
        clock: Clock,
        random: Random,
        keeping: Keeping,
        reader: LogReader,
        questions: Questions,
        renamed: Callable[[NodeId], None],
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        """``links`` are those of the rooms held at any time; ``renamed`` is told the id under which the node
        comes back; ``spawn`` owns work that outlives a call.
        """
        self._lease = lease
        self._links = links
        self._store = store
        self._clock = clock
        self._random = random
        self._keeping = keeping
        self._reader = reader
        self._questions = questions
        self._renamed = renamed
        self._spawn = spawn
        self._looking = False
        self._unlisted: dict[RoomId, NodeId] = {}
        """Rooms that are not held here, on whose lists the store may still have this node, and as which one."""

    async def run(self) -> None:
        """Keeps the lease until it is cancelled."""
        shown = checked = self._clock.monotonic()
        while True:
            await asyncio.sleep(RENEW_SECONDS * (0.9 + 0.2 * self._random.getrandbits(16) / 65536))
            try:
                await self.look()
            except StoreError as error:
                logger.warning("this node's lease could not be renewed: %s", error.message)
                continue
            await self._leave_lists()
            now = self._clock.monotonic()
            if now - shown >= SHOW_SECONDS:
                shown = now
                for link in self._links.values():
                    if link.shared:
                        link.show(full=True)
            if now - checked >= CHECK_SECONDS:
                checked = now
                self._reader.doubt(await self._meet())
                await self._keeping.verify()

    async def leave(self, room: RoomId) -> None:
        """The room is not held here: takes this node off its list, later if the store cannot be reached now."""
        self.left(room, self._lease.node)
        await self._leave_lists()

    def left(self, room: RoomId, node: NodeId) -> None:
        """As ``leave``, but with the next renewal of the lease; ``node`` is the id under which it was held."""
        self._unlisted[room] = node

    def look_soon(self) -> None:
        """Looks who is alive, unless it is being looked at."""
        if not self._looking:
            self._looking = True
            self._spawn(self._look_who_left())

    async def look(self) -> None:
        """Renews the lease, and learns who else is alive. Raises StoreError."""
        if await self._lease.renew(self._store()):
            if self._lease.lapsed:
                # Its jobs found that out, and stopped; whoever claims the rooms now goes on with them.
                self._keeping.drop()
            self._looked()
        else:
            await self._begin_anew()

    async def come_back(self) -> None:
        """After anything may have been missed: shows itself in all rooms, and looks at their logs."""
        links = await self._meet()
        for link in links:
            link.tell(Hello())
            link.show(full=True)
        self._reader.doubt(links)
        await self._keeping.verify()

    async def _look_who_left(self) -> None:
        try:
            await self.look()
        except StoreError as error:
            logger.warning("who is left could not be looked up: %s", error.message)
        finally:
            self._looking = False

    def _looked(self) -> None:
        live, looked = self._lease.live, self._lease.looked
        self._questions.give_up(live)
        for link in self._links.values():
            # Who was heard of since then may be newer than the list.
            dead = [node for node, heard in link.nodes.items() if node not in live and heard < looked]
            for node in dead:
                link.gone(node)
            if dead:
                self._spawn(link.forget_nodes(dead))

    async def _begin_anew(self) -> None:
        """Comes back under another id, and keeps nothing: the node was taken for dead."""
        self._lease.rename()
        logger.warning("this node had lost its lease, and joins again", extra={"node": self._lease.node})
        self._keeping.drop()
        self._renamed(self._lease.node)
        await self._lease.begin(self._store())
        self._looked()
        await self.come_back()

    async def _meet(self) -> list[RoomLink]:
        """Sees to it that this node is on the list of each of its rooms, and learns who else is; the rooms' links.

        None of them, when the store does not answer.
        """
        links = [link for link in self._links.values() if link.replica is not None]
        asked, me = self._clock.monotonic(), self._lease.node
        try:
            known = await self._store().enter([link.room for link in links], me)
        except StoreError as error:
            logger.warning("this node could not enter its rooms again: %s", error.message)
            return []
        finally:
            for link in links:
                if link.left and link.room not in self._links:
                    # It was unloaded meanwhile, and perhaps entered after that.
                    self.left(link.room, me)
        for link, nodes in zip(links, known, strict=True):
            for node in nodes:
                if node != self._lease.node:
                    link.listed(node)
            for node, heard in list(link.nodes.items()):
                if heard >= asked - SILENT_SECONDS:
                    continue  # If it is missing on the list, it mends that.
                if node in nodes:
                    # It may have left while the store could not be reached, or the list is of an earlier time.
                    link.ask_whether_held(node)
                else:
                    link.gone(node)  # Its goodbye was lost.
        return links

    async def _leave_lists(self) -> None:
        """Takes this node off the lists of rooms that it has left, as far as the store can be reached."""
        entered = False
        for room in list(self._unlisted):
            node = self._unlisted.pop(room, None)
            if node is None or room in self._links:
                continue
            try:
                await self._store().leave(room, [node])
            except StoreError as error:
                logger.debug("this node stays on a room's list for now: %s", error.message)
                self._unlisted.setdefault(room, node)
                return
            entered = entered or room in self._links
        if entered:
            # Meanwhile, so that this may have undone it.
            self._reader.doubt(await self._meet())
