"""Watches the rooms with jobs for edits that came too late to see what a job had written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from weakref import ref

from collab.errors import CollabError
from collab.ids import RoomId, SuggestionId, short_id
from collab.ledger import Ledger
from collab.merge.late import Late, LateEdits
from collab.ports import Clock, LogEntry
from generation.book import SUGGESTION, Book, Change, view
from generation.events import JobChanged, SuggestionAdded
from generation.io.reporting import Reporting
from generation.late import overlaps, question
from generation.ports import Random, RoomHandle

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
        edits = LateEdits()
        for job, data in book.ledgers.items():
            found = book.jobs.get(job)
            if found is None or found.undone:
                continue
            try:
                edits.remember(job, Ledger.from_bytes(data))
            except CollabError as error:
                logger.warning("a ledger cannot be read: %s", error.message, extra={"room": handle.room})

        def entry(one: LogEntry) -> None:
            late = edits.see(one)
            if late and self._book(handle.room) is book:
                # Once it is in the document, and all that came with it.
                asyncio.get_running_loop().call_soon(self._report, handle, book, late)

        handle.watch_log(entry)

    def _report(self, handle: RoomHandle, book: Book, late: list[Late]) -> None:
        if self._book(handle.room) is not book:
            return
        for one in late:
            try:
                self._ask(handle, book, one)
            except CollabError as error:
                logger.warning("a late edit was not reported: %s", error.message, extra={"room": handle.room})

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
