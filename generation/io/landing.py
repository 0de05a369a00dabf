"""What a job has written on its way into the live document, and all that is told and stored of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from collab.attribution_codec import pack_copies
from collab.ids import SuggestionId
from collab.ledger import Ledger
from collab.origin import JobOrigin
from collab.ports import Clock
from collab.wire import anchor_json
from generation.book import JOB, SUGGESTION, Book, Change, view
from generation.events import GenerationEvent, SuggestionAdded, SuggestionAnswered
from generation.jobs import Job
from generation.openhunks import OpenHunks
from generation.pipeline import AnswerWriter
from generation.ports import RoomHandle

LEDGER_OFTEN: Final = 32_000
"""Bytes. A ledger up to this size is stored with each merge, a larger one every LEDGER_EVERY seconds."""
LEDGER_EVERY: Final = 1.0
GROWING_EVERY: Final = 0.5
"""Seconds between two times that a ledger is stored to which text is only added, where no other node may have to
go on with the job: what it lacks is found in the document after a crash (``generation.recovery``).
"""
SHOW_EVERY: Final = 0.1
"""Seconds between two moves of a job's cursor, where few jobs move theirs."""
FEW: Final = 8
"""From so many jobs of a room on, each moves its cursor less often."""


class Landing:
    """Merges one try of a job. With ``shared``, another node may go on with the job should this one die: what that
    one must know is stored as it comes about.
    """

    def __init__(
        self,
        handle: RoomHandle,
        book: Book,
        job: Job,
        epoch: int,
        clock: Clock,
        tell: Callable[[GenerationEvent], None],
        check: Callable[[], None],
        *,
        shared: bool,
    ) -> None:
        """``check`` raises StaleEpoch when nothing more may land."""
        self._handle = handle
        self._book = book
        self._job = job
        self._clock = clock
        self._tell = tell
        self._check = check
        self._earlier = book.ledgers.get(job.id)
        self._presence: dict[str, object] | None = None
        self._named: tuple[str, str] = ("", "")
        """A model, and how the cursor of this job is named when it writes."""
        self._told_copies = 0
        self._applied = 0
        self._open = OpenHunks(job.id, epoch) if shared else None
        self._unnoted = False
        self._noted_at = -math.inf
        self._saved_at = -math.inf
        self._show_at = -math.inf
        self._noted_size = 0
        self._hidden = False

    def accepted(self, ledger: Ledger) -> None:
        """A suggestion of this job was accepted while it runs; an undo takes that back too."""
        earlier = Ledger.from_bytes(self._earlier) if self._earlier is not None else Ledger()
        earlier.extend(ledger)
        self._earlier = earlier.to_bytes()

    def hide(self) -> None:
        """Takes the job's cursor away; it is shown no more."""
        self._hidden = True
        self._handle.set_presence(self._job.client, None)

    def save(self) -> None:
        """Stores the job as it is."""
        self._put(Change(JOB, self._job.id, self._job.to_bytes()))

    def merge(self, writer: AnswerWriter, *, last: bool = False) -> None:
        """Lands what is new; ``last`` if nothing follows. Raises StaleEpoch, CollabError."""
        job, handle = self._job, self._handle
        self._check()
        # People first: what they typed goes out before anything else is done, and is seen by what is.
        handle.settle()
        outcome = writer.pull(handle.document, lambda: self._book.ledgers_beside(job.id))
        if outcome.update is not None:
            if self._open is not None:
                self._put_open(self._open.ahead(writer.session.pulled))
            copies = writer.session.copies[self._told_copies :]
            self._told_copies += len(copies)
            applied = handle.apply(outcome.update, JobOrigin(job.id, job.person, pack_copies(copies)))
            writer.merged(applied, handle.document)
            job.wrote = True
            self._unnoted = True
        job.touch(writer.paths, writer.landed)
        job.hunks_applied += writer.applied - self._applied
        self._applied = writer.applied
        if self._unnoted and (last or self._may_note(writer)):
            self._note(writer)
        elif self._unnoted and self._open is None:
            self._book.grow_ledger(job.id, partial(self._ledger, writer))
        for found in outcome.suggestions:
            now = self._clock.wall_ms()
            suggestion = replace(found, at_ms=now, answered_ms=now if found.state == "merged" else 0)
            self._book.suggestions.add(suggestion)
            self._put(Change(SUGGESTION, suggestion.suggestion, suggestion.to_bytes()))
            job.hunks_pending = self._book.pending(job.id)
            told = SuggestionAdded if suggestion.state == "open" else SuggestionAnswered
            self._tell(told(view(suggestion, handle.document)))
        for event in outcome.events:
            self._tell(event)
        if not last and not self._hidden:
            self._show(writer)

    def offered(self, suggestions: Sequence[SuggestionId]) -> str | None:
        """Why these were suggested, if nobody has answered one and they collide with nothing; None else."""
        open_ones = {one.suggestion: one for one in self._book.suggestions.open() if one.conflict == "none"}
        return open_ones[suggestions[0]].reason if open_ones.keys() >= set(suggestions) else None

    def replaced(self, suggestions: Iterable[SuggestionId]) -> None:
        """Something else is suggested in the place of these now."""
        for suggestion in suggestions:
            done = self._book.suggestions.answered(suggestion, "replaced", None, self._clock.wall_ms())
            self._put(Change(SUGGESTION, done.suggestion, done.to_bytes()))
            self._tell(SuggestionAnswered(view(done, self._handle.document)))

    def found(self, suggestion: SuggestionId, findings: Iterable[str]) -> None:
        """Notes what is wrong with a suggestion that was made before that was known."""
        done = self._book.suggestions.find(suggestion, findings)
        if done is not None:
            self._put(Change(SUGGESTION, done.suggestion, done.to_bytes()))
            self._tell(SuggestionAdded(view(done, self._handle.document)))

    def _may_note(self, writer: AnswerWriter) -> bool:
        """Whether the ledger is to be stored with this merge."""
        if writer.finished:
            return True
        if self._open is not None and not self._open.settled(writer.session.unfinished):
            return False  # All that is new is told of by the records of open hunks.
        every = 0.0
        if self._noted_size >= LEDGER_OFTEN:
            every = LEDGER_EVERY
        elif self._open is None and writer.session.appended:
            every = GROWING_EVERY
        return self._clock.monotonic() - self._noted_at >= every

    def _ledger(self, writer: AnswerWriter) -> Ledger:
        """What an undo takes back."""
        ledger = Ledger.from_bytes(self._earlier) if self._earlier is not None else Ledger()
        ledger.extend(writer.session.ledger)
        return ledger

    def _note(self, writer: AnswerWriter) -> None:
        """Stores what an undo takes back."""
        ledger = self._ledger(writer)
        if writer.finished:
            # All of it may have been recalled.
            self._job.wrote = not ledger.empty
        change = self._book.put_ledger(self._job.id, ledger)
        self._noted_size = len(change.value or b"")
        self._noted_at = self._clock.monotonic()
        self._unnoted = False
        self._put(change)
        if self._open is not None or self._noted_at - self._saved_at >= GROWING_EVERY:
            # Should the process be killed, the job is found with what it has written, and where.
            self._saved_at = self._noted_at
            self.save()
        if self._open is not None:
            self._put_open(self._open.forget(writer.session.unfinished))

    def _show(self, writer: AnswerWriter) -> None:
        """Lets the room see where the job writes."""
        now = self._clock.monotonic()
        if now < self._show_at:
            return
        place = writer.session.cursor()
        if place is None:
            return
        file, anchor = place
        position = anchor_json(anchor)
        model = self._job.model
        if self._named[0] != model:
            self._named = model, f"{model} · {first_words(self._job.prompt)}"
        state: dict[str, object] = {
            "user": {
                "name": self._named[1],
                "color": self._job.color,
                "kind": "job",
                "job": self._job.id,
            },
            "file": file,
            "cursor": {"anchor": position, "head": position},
        }
        if state != self._presence:
            self._presence = state
            # Everybody in the room is told of each move: all together they are bounded.
            self._show_at = now + SHOW_EVERY * max(1.0, self._book.active() / FEW)
            self._handle.set_presence(self._job.client, state)

    def _put_open(self, changes: list[Change]) -> None:
        for change in changes:
            self._book.mark_open(change)
            self._put(change)

    def _put(self, change: Change) -> None:
        self._handle.put_record(change.kind, change.key, change.value)


def first_words(prompt: str, most: int = 28) -> str:
    """The beginning of a prompt, to name a job by."""
    text = " ".join(prompt.split())
    if len(text) <= most:
        return text
    return text[:most].rsplit(" ", 1)[0] + "…"
