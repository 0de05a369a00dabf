"""Reads the shared logs of this node's rooms where something may have been missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Final

from collab.errors import CollabError
from collab.ids import Random, RoomId
from collab.ports import Clock
from collab.replica import Reading
from collab.shared import SharedStore
from server.room_link import RoomLink

RETRY_SECONDS: Final = 0.5

logger = logging.getLogger(__name__)


class LogReader:
    """One task for all rooms: whatever is due is read in one request."""

    def __init__(
        self,
        links: Callable[[], Collection[RoomLink]],
        store: Callable[[], SharedStore],
        clock: Clock,
        random: Random,
        on_deleted: Callable[[RoomId], None],
    ) -> None:
        self._links = links
        self._store = store
        self._clock = clock
        self._random = random
        self._on_deleted = on_deleted
        self._due = asyncio.Event()

    def wake(self) -> None:
        """Something may be due, or will be soon."""
        self._due.set()

    def doubt(self, links: Iterable[RoomLink]) -> None:
        """Has these rooms' logs read now."""
        for link in links:
            if link.replica is not None:
                link.replica.doubt()
        self._due.set()

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            await self._wait()
            now = self._clock.monotonic()
            links = [link for link in self._links() if link.replica is not None and link.replica.due(now)]
            if not links:
                continue
            try:
                await self.read(links)
            except CollabError as error:
                logger.warning("the logs could not be read: %s", error.message)
                for link in links:
                    if link.replica is not None:
                        link.replica.doubt()
                await asyncio.sleep(RETRY_SECONDS * (0.5 + self._random.getrandbits(16) / 65536))

    async def _wait(self) -> None:
        now = self._clock.monotonic()
        replicas = [link.replica for link in self._links() if link.replica is not None]
        if any(replica.due(now) for replica in replicas):
            return
        times = [at for replica in replicas if (at := replica.due_at) is not None]
        self._due.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(times) - now) if times else None):
                await self._due.wait()

    async def read(self, links: Sequence[RoomLink]) -> None:
        """Reads what these rooms' logs have and this node has not. Raises CollabError."""
        marks = [
            (link.room, link.replica.asked(self._clock.monotonic())) for link in links if link.replica is not None
        ]
        tails = await self._store().tails(marks)
        for link, (_, mark), tail in zip(links, marks, tails, strict=True):
            if link.left or link.host is None or link.replica is None:
                continue
            reading, new = link.replica.read(mark, tail, self._clock.monotonic())
            if reading is Reading.GOOD:
                link.host.follow(new)
            elif reading is Reading.LOST:
                await link.resync()
            elif reading is Reading.DELETED:
                self._on_deleted(link.room)
