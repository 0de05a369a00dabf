"""The engine of a node that shares rooms with others: the jobs of those rooms that it keeps for now."""

from __future__ import annotations

import asyncio

from collab.ids import JobId, RoomId
from generation.io.service import GenerationEngine
from generation.io.watching import Watchers
from generation.io.workers import Workers


class KeptEngine(GenerationEngine):
    """What ``SharedGeneration`` needs beside what the server asks of any engine. Its ``run`` is not used:
    whoever holds a ticket starts the jobs.
    """

    @property
    def watchers(self) -> Watchers:
        """Whoever watches jobs."""
        return self._watchers

    @property
    def workers(self) -> Workers:
        """The jobs that run here."""
        return self._workers

    def room_of(self, job: JobId) -> RoomId | None:
        """The room of a job, if this node keeps it."""
        found = self._shelves.of(job)
        return found[0] if found is not None else None

    def rooms(self) -> list[RoomId]:
        """The rooms whose books this node has, or had."""
        return self._shelves.rooms()

    async def adopt(self, room: RoomId) -> None:
        """Reads the room's book, and goes on with what the last keeper left. Raises StoreError, KeepLost."""
        async with self._rooms.held(room) as handle:
            await self._book(handle)

    def start(self, room: RoomId, job: JobId, group: asyncio.TaskGroup) -> asyncio.Task[None]:
        """Runs a queued job in a task of the group."""
        return self._workers.start(self._shelves, room, job, group)

    def drop(self, room: RoomId) -> None:
        """Stops a room's runs at once, without a trace, as this node keeps it no more; its book is void."""
        book = self._shelves.pop(room)
        self._drop_work(room)
        for job in book.jobs if book is not None else ():
            self._watchers.close(job)

    async def rewrite(self, room: RoomId) -> None:
        """Stores all records of the room's book again."""
        async with self._rooms.held(room) as handle:
            book = self._shelves.book(room)
            for change in book.whole() if book is not None else ():
                self._put(handle, change)

    async def settled(self, room: RoomId) -> None:
        """Returns when all that was done in the room is stored, and nothing was done meanwhile.

        Raises StoreError.
        """
        async with self._rooms.held(room) as handle:
            while True:
                puts = self._reporting.puts
                await handle.durable()
                if puts == self._reporting.puts:
                    return
