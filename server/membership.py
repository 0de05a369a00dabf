"""How a process stays a member of its cluster: its lease, its place on its rooms' lists, and who else is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Final

from collab.errors import StoreError
from collab.ids import NodeId, Random
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

logger = logging.getLogger(__name__)


class Membership:
    """Renews the lease, and puts right what a lost one, a lost message or a lost list has left wrong."""

    def __init__(
        self,
        lease: Lease,
        links: Callable[[], Iterable[RoomLink]],
        store: Callable[[], SharedStore],
        clock: Clock,
        random: Random,
        keeping: Keeping,
        reader: LogReader,
        questions: Questions,
        renamed: Callable[[NodeId], None],
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        """``renamed`` is told the id under which the node comes back; ``spawn`` owns work that outlives a call."""
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
            now = self._clock.monotonic()
            if now - shown >= SHOW_SECONDS:
                shown = now
                for link in self._links():
                    if link.shared:
                        link.show(full=True)
            if now - checked >= CHECK_SECONDS:
                checked = now
                self._reader.doubt(await self._meet())
                await self._keeping.verify()

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
        for link in self._links():
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
        links = [link for link in self._links() if link.replica is not None]
        asked = self._clock.monotonic()
        try:
            known = await self._store().enter([link.room for link in links], self._lease.node)
        except StoreError as error:
            logger.warning("this node could not enter its rooms again: %s", error.message)
            return []
        for link, nodes in zip(links, known, strict=True):
            for node in nodes:
                if node != self._lease.node:
                    link.heard(node)
            # Their goodbye was lost. A node that still shows itself is only missing on the list, and mends that.
            silent = asked - 1.5 * SHOW_SECONDS
            for node in [node for node, heard in link.nodes.items() if node not in nodes and heard < silent]:
                link.gone(node)
        return links
