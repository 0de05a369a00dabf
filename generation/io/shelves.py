"""The books of rooms, read once however many ask; where several nodes share rooms, once for each keep."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from collab.document import Document
from collab.errors import CollabError, KeepLost
from collab.ids import JobId, RoomId, client_id
from collab.origin import JobOrigin
from collab.ports import Clock
from collab.wire import decode_state_vector
from generation.book import JOB_KINDS, OPEN, Book
from generation.events import JobChanged, JobProgressed
from generation.experience import Experience
from generation.failures import code_of
from generation.io.places import entry
from generation.io.reporting import Reporting
from generation.jobs import Job
from generation.ports import Random, RoomHandle
from generation.queue import Turns
from generation.reckoning import study
from generation.sharing import Peers
from generation.states import JobState
from generation.takeover import WENT_ON, drop_open, withdraw
from generation.turning import finish_turn

MOST_BOOKS: Final = 500
"""Rooms whose jobs are kept in memory, beside those with active ones."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Shelf:
    """A room's book, once it is read, and the token of the keep under which that was."""

    book: Book | None = None
    token: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Shelves:
    """All books of this process. ``left`` is called for a room whose book of an earlier keep is void."""

    def __init__(
        self,
        turns: Turns,
        reporting: Reporting,
        random: Random,
        peers: Peers | None,
        left: Callable[[RoomId], None],
        experience: Experience,
        clock: Clock,
        loaded: Callable[[RoomHandle, Book], None],
    ) -> None:
        """``loaded`` is told of each book that was read."""
        self._turns = turns
        self._reporting = reporting
        self._random = random
        self._peers = peers
        self._left = left
        self._experience = experience
        self._clock = clock
        self._loaded = loaded
        self._shelves: OrderedDict[RoomId, Shelf] = OrderedDict()

    def book(self, room: RoomId) -> Book | None:
        """The room's book, if it is there and counts."""
        shelf = self._shelves.get(room)
        if shelf is None or shelf.book is None or shelf.token != self._token(room):
            return None
        return shelf.book

    def active(self) -> Iterator[tuple[RoomId, Job]]:
        """The jobs of all books that count which have not ended, and their rooms."""
        for room in list(self._shelves):
            book = self.book(room)
            for job in book.jobs.values() if book is not None else ():
                if not job.ended:
                    yield room, job

    def rooms(self) -> list[RoomId]:
        """The rooms of which there is a book."""
        return list(self._shelves)

    def pop(self, room: RoomId) -> Book | None:
        """Forgets a room's book."""
        shelf = self._shelves.pop(room, None)
        return shelf.book if shelf is not None else None

    async def read(self, handle: RoomHandle) -> Book:
        """The room's book. Raises StoreError; KeepLost if this node does not keep the room's jobs."""
        room = handle.room
        shelf = self._shelves.setdefault(room, Shelf())
        self._shelves.move_to_end(room)
        if shelf.book is None or shelf.token != self._kept(room):
            async with shelf.lock:
                token = self._kept(room)
                if shelf.book is None or shelf.token != token:
                    if shelf.book is not None:
                        self._left(room)
                        shelf.book = None
                    book = await self._load(handle, token)
                    if self._shelves.get(room) is not shelf or self._kept(room) != token:
                        raise KeepLost("The room was deleted, or another node keeps its jobs now; ask again.")
                    if self._peers is not None:
                        self._take_over(handle, book)
                    shelf.book, shelf.token = book, token
                    self._loaded(handle, book)
            self._evict()
        return shelf.book

    async def _load(self, handle: RoomHandle, token: int) -> Book:
        if self._peers is not None:
            # What the last keeper wrote until it was fenced off must be here before its jobs are gone on with.
            await handle.caught_up()
        kinds = [kind for kind in JOB_KINDS if self._peers is not None or kind != OPEN]
        book = Book.read({kind: await handle.records(kind) for kind in kinds}, interrupt=self._interrupt())
        study(self._experience, handle.room, book.jobs.values())
        for problem in book.problems:
            logger.warning("room %s: a record was left out: %s", handle.room, problem)
        return book

    def _take_over(self, handle: RoomHandle, book: Book) -> None:
        """Goes on with what the last keeper left. Nothing here waits, so it is done as a whole or not at all."""
        for job in list(book.jobs.values()):
            self._finish_turn(handle, book, job)
            # A record may be older than what the job wrote, where the store has lost something.
            if job.running or (job.state is JobState.QUEUED and _wrote(job, handle.document)):
                self._go_on(handle, book, job)
            elif job.state is JobState.QUEUED:
                job.adopt(client_id(self._random))
        for change in drop_open(book):
            self._reporting.put(handle, change)
        for job in book.jobs.values():
            if job.state is JobState.QUEUED:
                job.turn = self._turns.push(handle.room, entry(job, handle.document))

    def _finish_turn(self, handle: RoomHandle, book: Book, job: Job) -> None:
        ended = job.ended
        try:
            changes = finish_turn(handle, book, job, self._clock.wall_ms())
        except KeepLost:
            raise
        except CollabError as error:
            logger.error("job %s: its undo or redo was not finished: %s", job.id, error.message)
            return
        for change in changes:
            self._reporting.put(handle, change)
        if changes and not ended:
            self._reporting.finished(handle, job)
        elif changes:
            self._reporting.save(handle, job)
            self._reporting.tell(handle, job, JobChanged(job.view()))

    def _go_on(self, handle: RoomHandle, book: Book, job: Job) -> None:
        def apply(update: bytes, copies: bytes) -> None:
            handle.apply(update, JobOrigin(job.id, job.person, copies))

        try:
            for change in withdraw(book, job, handle.document, apply):
                self._reporting.put(handle, change)
        except KeepLost:
            raise
        except CollabError as error:
            logger.error("job %s: what its last try left could not be taken back: %s", job.id, error.message)
            words = f"The node that ran it stopped, and another could not go on: {error.message}"
            job.fail(job.epoch, words, code=code_of(error), at_ms=self._clock.wall_ms())
            self._reporting.finished(handle, job)
            return
        if not job.take_over(client_id(self._random), self._clock.wall_ms()):
            self._reporting.finished(handle, job)
            return
        logger.warning("job %s of room %s: %s", job.id, handle.room, WENT_ON)
        self._reporting.save(handle, job)
        self._reporting.tell(handle, job, JobProgressed(job.view(), WENT_ON))

    def of(self, job: JobId) -> tuple[RoomId, Job] | None:
        """A job of any book, and its room."""
        for room in self._shelves:
            book = self.book(room)
            if book is not None and job in book.jobs:
                return room, book.jobs[job]
        return None

    def _interrupt(self) -> int | None:
        """When jobs that had not ended were interrupted; None where another node may go on with them."""
        return self._clock.wall_ms() if self._peers is None else None

    def _kept(self, room: RoomId) -> int:
        token = self._token(room)
        if token is None:
            raise KeepLost("This node does not keep the room's jobs any more; ask again.")
        return token

    def _token(self, room: RoomId) -> int | None:
        """The token of this node's keep, None without one; always 0 where there are no other nodes."""
        if self._peers is None:
            return 0
        keep = self._peers.keep(room)
        return keep.token if keep is not None else None

    def _evict(self) -> None:
        over = len(self._shelves) - MOST_BOOKS
        for room, shelf in list(self._shelves.items()):
            if over <= 0:
                return
            if shelf.book is not None and not shelf.book.active():
                del self._shelves[room]
                over -= 1


def _wrote(job: Job, document: Document) -> bool:
    return decode_state_vector(document.state_vector()).get(job.client, 0) > 0
