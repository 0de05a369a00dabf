"""Watches the rooms with jobs for edits that came too late to see what a job had written or taken away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final
from weakref import ref

from collab.attribution_codec import pack_copies
from collab.errors import CollabError
from collab.ids import PersonId, RoomId, SuggestionId, short_id
from collab.ledger import Ledger
from collab.merge.late import Late, LateEdits
from collab.merge.strays import Shelters, Stray, Strays, in_no_file
from collab.origin import ChangeOrigin
from collab.ports import Clock, LogEntry
from generation.book import SUGGESTION, Book, Change, view
from generation.events import JobChanged, SuggestionAdded
from generation.io.reporting import Reporting
from generation.late import overlaps, question
from generation.ports import Random, RoomHandle

PUT_BACK: Final = "put back"
"""What a change is called that is only a copy of what somebody typed."""

logger = logging.getLogger(__name__)


class Lateness:
    """One for the process. ``book`` gives a room's book while this node keeps its jobs."""

    def __init__(
        self, book: Callable[[RoomId], Book | None], reporting: Reporting, clock: Clock, random: Random
    ) -> None:
        self._book = book
        self._reporting = reporting
        self._clock = clock
        self._random = random

    def watch(self, handle: RoomHandle, book: Book) -> None:
        """Watches a room whose book was read; once is enough for each time that the room is loaded."""
        if book.watched is not None and book.watched() is handle:
            return
        book.watched = ref(handle)
        edits, strays = LateEdits(), Strays()
        shelters = Shelters()
        for job, data in book.ledgers.items():
            found = book.jobs.get(job)
            if found is None:
                continue
            try:
                ledger = Ledger.from_bytes(data)
                strays.remember(job, ledger)
                if not found.undone:
                    edits.remember(job, ledger)
            except CollabError as error:
                logger.warning("a ledger cannot be read: %s", error.message, extra={"room": handle.room})

        def entry(one: LogEntry) -> None:
            late, beside = edits.see(one), strays.see(one)
            # Once it is in the document, and all that came with it.
            if late and self._book(handle.room) is book:
                asyncio.get_running_loop().call_soon(self._report, handle, book, late)
            if beside and self._book(handle.room) is book:
                asyncio.get_running_loop().call_soon(self._put_back, handle, book, shelters, beside)

        handle.watch_log(entry)

    def _report(self, handle: RoomHandle, book: Book, late: list[Late]) -> None:
        if self._book(handle.room) is not book:
            return
        for one in late:
            try:
                self._ask(handle, book, one)
            except CollabError as error:
                logger.warning("a late edit was not reported: %s", error.message, extra={"room": handle.room})

    def _put_back(self, handle: RoomHandle, book: Book, shelters: Shelters, beside: list[Stray]) -> None:
        if self._book(handle.room) is not book:
            return
        try:
            for stray in in_no_file(handle.document, beside):
                job, data = book.jobs.get(stray.job), book.ledgers.get(stray.job)
                shelter = shelters.of(stray, Ledger() if data is None else Ledger.from_bytes(data))
                taken = shelter.take_in(handle.document, stray)
                if taken is not None:
                    asked_by = PersonId("") if job is None else job.person
                    handle.apply(taken[0], ChangeOrigin("", asked_by, PUT_BACK, pack_copies(taken[1])))
        except CollabError as error:
            logger.error("typed text was not put back: %s", error.message, extra={"room": handle.room})

    def _ask(self, handle: RoomHandle, book: Book, late: Late) -> None:
        job, data = book.jobs.get(late.job), book.ledgers.get(late.job)
        if job is None or data is None or job.undone:
            return
        ledger = Ledger.from_bytes(data)
        name = SuggestionId(short_id(self._random, "s"))
        others = book.ledgers_beside(job.id)
        found = question(handle.document, late, ledger, others, name, self._clock.wall_ms())
        if found is None:
            return
        for other in book.suggestions.open():
            if other.job == job.id and overlaps(handle.document, found, other):
                return
        book.suggestions.add(found)
        self._reporting.put(handle, Change(SUGGESTION, found.suggestion, found.to_bytes()))
        job.settle(book.pending(job.id))
        self._reporting.save(handle, job)
        handle.announce(SuggestionAdded(view(found, handle.document)))
        if job.ended:
            handle.announce(JobChanged(job.view()))
