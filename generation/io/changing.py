"""What is done to a job's changes at once: they are taken back, put back, or noted once a writer has made them."""

from __future__ import annotations

from collections.abc import Sequence

from collab.ids import JobId
from collab.ledger import Ledger
from collab.ports import Clock
from generation.book import Book, view
from generation.changes import recorded
from generation.events import JobChanged, JobFinished, SuggestionAdded, SuggestionAnswered
from generation.io.reporting import Reporting
from generation.ports import Random, RoomHandle
from generation.states import COLORS
from generation.turning import forget_turn, turn
from generation.views import Asker, JobView, NewChange


class Changing:
    """Nothing here waits: a change and the records of it are made as a whole or not at all."""

    def __init__(self, reporting: Reporting, clock: Clock, random: Random, *, kept: int, shared: bool) -> None:
        """``kept`` jobs of a room are remembered; ``shared`` rooms are kept by one of several nodes."""
        self._reporting = reporting
        self._clock = clock
        self._random = random
        self._kept = kept
        self._shared = shared

    def turn(
        self, handle: RoomHandle, book: Book, people: Sequence[Ledger], ref: str, asker: Asker, *, redo: bool
    ) -> JobView:
        """Undoes a job, or its undo. Raises NotFound, Conflict; see ``generation.turning``."""
        job = book.job(ref)
        for change in turn(handle, book, job, people, asker, redo=redo, shared=self._shared):
            self._reporting.put(handle, change)
        self._reporting.save(handle, job)
        if self._shared:
            for change in forget_turn(job, redo=redo):
                self._reporting.put(handle, change)
        handle.announce(JobChanged(job.view()))
        return job.view()

    def note(self, handle: RoomHandle, book: Book, change: NewChange, asker: Asker) -> JobView:
        """Notes a change that was made at once; the same one a second time adds nothing."""
        before = {suggestion.suggestion for suggestion in book.suggestions.all()}
        known = JobId(change.change) in book.jobs
        color = COLORS[self._random.getrandbits(16) % len(COLORS)]
        job, changes = recorded(book, change, asker, color, self._clock.wall_ms())
        if not changes and (known or job.id != change.change):
            return job.view()
        for record in [*changes, *book.trim(self._kept)]:
            self._reporting.put(handle, record)
        self._reporting.save(handle, job)
        handle.announce(JobChanged(job.view()) if known else JobFinished(job.view()))
        for suggestion in book.suggestions.all():
            if suggestion.suggestion not in before:
                told = SuggestionAdded if suggestion.state == "open" else SuggestionAnswered
                handle.announce(told(view(suggestion, handle.document)))
        return job.view()
