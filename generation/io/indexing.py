"""Keeps the indexes of rooms up to date, in pieces between which everybody else has their turn."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from weakref import ref

from collab.document import Document
from collab.errors import NotFound
from collab.ids import FileId, RoomId
from collab.listing import Listing
from collab.ports import Clock
from generation.context.kept import Pieces
from generation.search.index import ProjectIndex
from generation.search.vectors import Vectors

TURN_SECONDS: Final = 0.004
"""So long the index works at once."""
PAUSE_SECONDS: Final = 0.001
"""And so long it leaves to others when it is made first, unless somebody waits for it."""
REFER_SECONDS: Final = 30.0
"""Who refers to whom is worked out anew no more often than that, as it takes a look at all files."""
KEEPING_SECONDS: Final = 0.0015
"""So long at once where it only takes in what changes, as people are typing then and jobs write."""
KEEPING_PAUSE: Final = 0.01
"""And so long it leaves to others then, unless somebody waits for it."""
GATHER_SECONDS: Final = 0.3
"""So long changes are collected before the index takes them in by itself."""
RESTS: Final = 9.0
"""So many times as long as that took it then leaves to others, and REST_SECONDS at most."""
REST_SECONDS: Final = 10.0
MOST_ROOMS: Final = 16
MOST_FILES: Final = 20_000
"""Files of all rooms whose indexes are kept; those that nobody has used for longest go first."""

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Indexed:
    """The index of one room, and what is kept of its files' texts."""

    room: RoomId
    document: ref[Document]
    index: ProjectIndex
    pieces: Pieces[str]
    listing: Listing | None = None
    """The files that the index was told of."""
    seen: int = -1
    """The document's count of changes (``collab.stamps``) that the index was told of; -1 before the first time."""
    vectors: Vectors | None = None
    """The vectors of its files' pieces, where files are compared by meaning."""
    embedded: dict[str, bytes] = field(default_factory=dict)
    """The files that have theirs, with the digest of the text that they were made of."""
    referred: float = 0.0
    """When it was worked out last who refers to whom."""
    held_all: float = -math.inf
    """When it held all that the document did last."""
    waiting: int = 0
    """How many wait for it."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def fresh(self) -> bool:
        """Whether the index holds all that the document does."""
        document = self.document()
        return document is None or not self.behind(document.stamps.count)

    def fresh_at(self, time: float) -> bool:
        """Whether the index holds all that the document held at that time, and knows which files there are now."""
        document = self.document()
        return document is None or (not self.behind(document.stamps.entries) and self.held_all >= time)

    def behind(self, count: int) -> bool:
        """Whether the index lacks something that the document had when its count of changes was this one."""
        document = self.document()
        if document is None:
            return False
        current = document.watched and self.seen >= count
        return not current or bool(self.index.pending) or not self.index.referring


class Indexes:
    """All indexes of this process, made when somebody first asks. ``run`` is owned by the process's task group."""

    def __init__(self, clock: Clock, settled: Callable[[Indexed], None] = lambda _: None) -> None:
        """``settled`` is told of each index that is up to date again."""
        self._clock = clock
        self._settled = settled
        self._rooms: OrderedDict[RoomId, Indexed] = OrderedDict()
        self._due: dict[RoomId, None] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Takes in what changes, until cancelled."""
        took = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_referring()):
                    await self._wake.wait()
            await asyncio.sleep(max(GATHER_SECONDS, min(took * RESTS, REST_SECONDS)))
            self._wake.clear()
            due, self._due = self._due, {}
            began = self._clock.monotonic()
            for found in list(self._rooms.values()):
                if found.room in due or self._may_refer(found):
                    await self._work(found)
            took = self._clock.monotonic() - began

    def _until_referring(self) -> float | None:
        """Seconds until some room's references may be worked out anew; None if none of them has changed."""
        waits = [one.referred + REFER_SECONDS for one in self._rooms.values() if one.index.outdated]
        return max(0.0, min(waits) - self._clock.monotonic()) if waits else None

    def _may_refer(self, found: Indexed) -> bool:
        index, now = found.index, self._clock.monotonic()
        return index.outdated and (not index.referring or now - found.referred >= REFER_SECONDS)

    def of(self, room: RoomId, document: Document) -> Indexed:
        """The room's index, which may be behind."""
        found = self._rooms.get(room)
        if found is None or found.document() is not document:
            # The texts of a room that was loaded anew are mostly the same; what is so is not read again.
            before = found
            found = Indexed(room, ref(document), ProjectIndex(), Pieces(document.stamps.of))
            if before is not None:
                found.index, found.vectors, found.embedded = before.index, before.vectors, before.embedded
            self._rooms[room] = found
            document.stamps.watch = self._watch(room)
        self._rooms.move_to_end(room)
        self._evict(found)
        return found

    async def ready(
        self, room: RoomId, document: Document, patience: float | None = None, *, lag: float = 0.0
    ) -> Indexed:
        """The room's index, up to date; or as far as it is after ``patience`` seconds.

        With ``lag``, what was written in so many last seconds may be missing, if no file is new or was renamed.
        """
        found = self.of(room, document)
        if found.fresh or (lag and found.fresh_at(self._clock.monotonic() - lag)):
            return found
        try:
            async with asyncio.timeout(patience):
                await self._work(found, waited=True)
        except TimeoutError:
            self._mark(room)
        return found

    def forget(self, room: RoomId) -> None:
        """The room is deleted."""
        self._rooms.pop(room, None)
        self._due.pop(room, None)

    async def _work(self, found: Indexed, *, waited: bool = False) -> None:
        found.waiting += waited
        try:
            async with found.lock:
                document = found.document()
                if document is not None:
                    await self._update(found, document)
                    self._settled(found)
        finally:
            found.waiting -= waited

    async def _update(self, found: Indexed, document: Document) -> None:
        index = found.index

        def read(file: str) -> str | None:
            try:
                return document.text(FileId(file))
            except NotFound:
                return None

        # What changes meanwhile is the next one's: jobs that write change something all the time.
        upto, now = document.stamps.count, self._clock.monotonic()
        while found.behind(upto) or self._may_refer(found):
            await self._through(found, document.listing_in_steps())
            listing, count = document.listing(), document.stamps.count
            await asyncio.sleep(0)
            known = document.watched and found.seen >= 0
            changed = document.stamps.since(found.seen) if known else None
            for file in changed or ():
                found.pieces.drop(file)
            found.seen = count
            if changed is not None and listing is found.listing:
                index.touch(changed)
            else:
                found.listing = listing
                index.sync({file.id: file.shown for file in listing.files.values()}, changed)
            await self._through(found, index.steps(read))
            if self._may_refer(found) or not index.referring:
                found.referred = self._clock.monotonic()
                await self._through(found, index.refer())
            if not document.watched:
                # Nobody tells what has changed, so once is all that can be done.
                return
        found.held_all = now

    async def _through(self, found: Indexed, steps: Iterator[None]) -> None:
        """Goes through the steps, and lets others have their turn in between."""
        until = self._clock.monotonic() + KEEPING_SECONDS
        for _ in steps:
            if self._clock.monotonic() >= until:
                turn, pause = TURN_SECONDS, PAUSE_SECONDS
                if found.index.referring and not found.waiting:
                    turn, pause = KEEPING_SECONDS, KEEPING_PAUSE
                await asyncio.sleep(0 if found.waiting else pause)
                until = self._clock.monotonic() + turn

    def _watch(self, room: RoomId) -> Callable[[], None]:
        def changed() -> None:
            if room not in self._due:
                self._mark(room)

        return changed

    def _mark(self, room: RoomId) -> None:
        self._due[room] = None
        self._wake.set()

    def _evict(self, but: Indexed) -> None:
        files = sum(one.index.files for one in self._rooms.values())
        for room, one in list(self._rooms.items()):
            gone = one.document() is None and len(self._rooms) > MOST_ROOMS // 2
            if one is but or not (gone or len(self._rooms) > MOST_ROOMS or files > MOST_FILES):
                continue
            files -= one.index.files
            document = one.document()
            if document is not None:
                document.stamps.watch = None
            self.forget(room)
