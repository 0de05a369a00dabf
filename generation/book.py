"""What the service remembers of one room: its jobs, their ledgers, the suggestions. Kept as records too."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from weakref import ref

from collab.document import Document
from collab.errors import CollabError, Conflict, NotFound
from collab.ids import JobId
from collab.ledger import Ledger
from collab.merge.places import range_anchors
from collab.merge.suggestions import Suggestion, Suggestions, choices, current, no_place
from generation.jobs import Job
from generation.locate import NoPlace, locate
from generation.views import SuggestionView

if TYPE_CHECKING:
    from generation.ports import RoomHandle

JOB, LEDGER, REDO, SUGGESTION, OPEN = "job", "ledger", "redo", "suggestion", "open_hunk"
"""Kinds of records. Ledgers are kept by job: LEDGER is what an undo takes back, REDO what a redo does. OPEN is
there only where several nodes run jobs: what of hunks that are not complete may be in the document.
"""
JOB_KINDS: Final = (JOB, LEDGER, REDO, SUGGESTION, OPEN)
"""The kinds of records that a book holds, which only the keeper of a room's jobs may change."""
SENT: Final = "sent"
"""What models were sent (``generation.sent``): kept by job too, and read only when somebody asks."""
KEPT_KINDS: Final = (*JOB_KINDS, SENT)
"""All kinds of records that only the keeper may change."""


@dataclass(frozen=True, slots=True)
class Change:
    """A record to store, or with None to forget."""

    kind: str
    key: str
    value: bytes | None


@dataclass(slots=True)
class Book:
    """One room's jobs, oldest first, and what belongs to them."""

    jobs: dict[JobId, Job] = field(default_factory=dict)
    _ledgers: dict[JobId, bytes] = field(default_factory=dict)
    _growing: dict[JobId, Callable[[], Ledger]] = field(default_factory=dict)
    """Ledgers of jobs that write, which are asked for when somebody needs them."""
    redos: dict[JobId, bytes] = field(default_factory=dict)
    suggestions: Suggestions = field(default_factory=Suggestions)
    open_hunks: dict[str, bytes] = field(default_factory=dict)
    watched: ref[RoomHandle] | None = None
    """The loaded room whose log is watched for late edits."""
    problems: list[str] = field(default_factory=list)
    """Records that could not be read; they are left where they are."""

    @staticmethod
    def read(records: Mapping[str, Mapping[str, bytes]], *, interrupt: int | None = 0) -> Book:
        """The book of a room that was just loaded: jobs that had not ended are interrupted, at that time.

        With None they are left as they are: another node may run them, or go on with them.
        """
        book = Book()
        for key, value in records[JOB].items():
            try:
                job = Job.from_bytes(value)
            except CollabError as error:
                book.problems.append(f"job {key}: {error.message}")
                continue
            if interrupt is not None:
                job.interrupt(interrupt)
            book.jobs[job.id] = job
        book.jobs = dict(sorted(book.jobs.items(), key=lambda item: item[1].created_ms))
        for key, value in records[SUGGESTION].items():
            try:
                book.suggestions.add(Suggestion.from_bytes(value))
            except CollabError as error:
                book.problems.append(f"suggestion {key}: {error.message}")
        book._ledgers = {JobId(key): value for key, value in records[LEDGER].items()}
        book.redos = {JobId(key): value for key, value in records[REDO].items()}
        book.open_hunks = dict(records.get(OPEN, {}))
        for job in book.jobs.values():
            job.settle(book.pending(job.id))
            if not job.wrote and (data := book.ledgers.get(job.id)) is not None:
                try:
                    job.wrote = not Ledger.from_bytes(data).empty
                except CollabError as error:
                    book.problems.append(f"ledger {job.id}: {error.message}")
        return book

    @property
    def ledgers(self) -> dict[JobId, bytes]:
        """What undos take back, by job."""
        for job, ledger in self._growing.items():
            self._ledgers[job] = ledger().to_bytes()
        self._growing.clear()
        return self._ledgers

    def job(self, job: str) -> Job:
        """Raises NotFound."""
        found = self.jobs.get(JobId(job))
        if found is None:
            raise NotFound(f"There is no job {job[:80]!r}; ask for the list of jobs.", field="job")
        return found

    def pending(self, job: JobId) -> int:
        """How many suggestions of a job are open."""
        return sum(suggestion.job == job for suggestion in self.suggestions.open())

    def active(self) -> int:
        """How many jobs are queued, paused or running."""
        return sum(not job.ended for job in self.jobs.values())

    def whole(self) -> list[Change]:
        """All records of the book, for a store that has lost some."""
        return [
            *(Change(JOB, job.id, job.to_bytes()) for job in self.jobs.values()),
            *(Change(LEDGER, job, data) for job, data in self.ledgers.items()),
            *(Change(REDO, job, data) for job, data in self.redos.items()),
            *(Change(SUGGESTION, one.suggestion, one.to_bytes()) for one in self.suggestions.all()),
            *(Change(OPEN, key, data) for key, data in self.open_hunks.items()),
        ]

    def beyond(self, newest: int) -> list[JobId]:
        """The first job that is not among the ``newest``, if there are more; the others were told before it."""
        jobs = [job.id for job in self.jobs.values() if job.kind == "job"]
        return jobs[-newest - 1 : -newest]

    def trim(self, most: int) -> list[Change]:
        """Forgets the oldest ended jobs beyond ``most`` that have no open suggestion, and what is theirs.

        Changes count apart: a writer that saves often must not push out what the AI did.
        """
        changes = []
        kinds = Counter(job.kind == "job" for job in self.jobs.values())
        over = {kind: count - most for kind, count in kinds.items()}
        for job in list(self.jobs.values()):
            kind = job.kind == "job"
            if over[kind] <= 0 or not job.ended or self.pending(job.id):
                continue
            over[kind] -= 1
            del self.jobs[job.id]
            self.ledgers.pop(job.id, None)
            self.redos.pop(job.id, None)
            changes += [Change(record, job.id, None) for record in (JOB, LEDGER, REDO, SENT)]
            kept = Suggestions()
            for suggestion in self.suggestions.all():
                if suggestion.job == job.id:
                    changes.append(Change(SUGGESTION, suggestion.suggestion, None))
                else:
                    kept.add(suggestion)
            self.suggestions = kept
        return changes

    def ledgers_beside(self, job: JobId) -> list[Ledger]:
        """What the other jobs have done to the text as it is now: for an undone job, its undo."""
        return [
            Ledger.from_bytes(self.redos.get(other, data)) for other, data in self.ledgers.items() if other != job
        ]

    def extend_ledger(self, job: JobId, more: Ledger) -> Change:
        """Adds to what an undo of the job takes back."""
        ledger = Ledger.from_bytes(self.ledgers[job]) if job in self.ledgers else Ledger()
        ledger.extend(more)
        return self.put_ledger(job, ledger)

    def put_ledger(self, job: JobId, ledger: Ledger) -> Change:
        """Sets what an undo of the job takes back."""
        self._growing.pop(job, None)
        data = self._ledgers[job] = ledger.to_bytes()
        return Change(LEDGER, job, data)

    def grow_ledger(self, job: JobId, ledger: Callable[[], Ledger]) -> None:
        """What an undo of the job takes back is what ``ledger`` gives when it is needed, until it is put."""
        self._growing[job] = ledger

    def begin_anew(self, job: JobId) -> Change:
        """For a new try of an undone job: what was undone stays undone, so there is nothing of it to undo.

        Only what the undos of other jobs must know of it is kept.
        """
        data = self.redos.get(job)
        rest = Ledger.from_bytes(data) if data is not None else Ledger()
        if rest != Ledger() and (kept := rest.aside()) != Ledger():
            return self.put_ledger(job, kept)
        self.ledgers.pop(job, None)
        return Change(LEDGER, job, None)

    def mark_open(self, change: Change) -> None:
        """Notes a record of an unfinished hunk."""
        if change.value is None:
            self.open_hunks.pop(change.key, None)
        else:
            self.open_hunks[change.key] = change.value

    def drop_redo(self, job: JobId) -> list[Change]:
        """After something new, what was undone before cannot be redone any more."""
        if self.redos.pop(job, None) is None:
            return []
        return [Change(REDO, job, None)]


def with_place(suggestion: Suggestion, document: Document) -> Suggestion:
    """A hunk that had no certain place gets the one where its lines stand now, if there is exactly one.

    Raises Conflict if there is none; it can still be accepted later, or done by hand.
    """
    if suggestion.kind != "hunk" or suggestion.anchor is not None or suggestion.file is None:
        return suggestion
    if suggestion.file not in document.listing().files:
        return suggestion
    text = document.text(suggestion.file)
    place = locate(text, suggestion.before)
    if isinstance(place, NoPlace):
        raise Conflict(
            f"It is not certain where in {suggestion.path} this belongs. {place.reason} Put the text in by hand, "
            "then reject the suggestion."
        )
    anchor, end = range_anchors(document, suggestion.file, place.start, place.end)
    return replace(suggestion, anchor=anchor, end=end)


def view(suggestion: Suggestion, document: Document) -> SuggestionView:
    """What the room sees of a suggestion now."""
    return SuggestionView(
        suggestion=suggestion.suggestion,
        job=suggestion.job,
        file=suggestion.file,
        path=suggestion.path,
        reason=suggestion.reason,
        kind=suggestion.kind,
        before=suggestion.before,
        current=current(document, suggestion) if suggestion.state == "open" else suggestion.ours,
        after=suggestion.after,
        anchor=None if suggestion.anchor is None else b64encode(suggestion.anchor).decode(),
        end=None if suggestion.end is None else b64encode(suggestion.end).decode(),
        state=suggestion.state,
        answered_by=suggestion.answered_by,
        conflict=suggestion.conflict,
        layer=suggestion.layer,
        choices=choices(suggestion) if suggestion.state == "open" else (),
        at_ms=suggestion.at_ms,
        answered_ms=suggestion.answered_ms,
        gone=no_place(document, suggestion),
        findings=suggestion.findings,
    )
