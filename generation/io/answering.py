"""Answers to suggestions: one at a time, or all of a job or a file."""

from __future__ import annotations

from dataclasses import dataclass

from collab.errors import Conflict, InvalidInput
from collab.ids import SuggestionId, client_id
from collab.merge.suggestions import State, Suggestion, answer, choices, current
from collab.origin import JobOrigin
from collab.ports import Clock
from generation.book import SUGGESTION, Book, Change, view, with_place
from generation.events import JobChanged, SuggestionAnswered
from generation.io.reporting import Reporting
from generation.io.workers import Workers
from generation.ports import Random, RoomHandle
from generation.views import Asker, Choice, SuggestionView

_STATES: dict[Choice, State] = {"accept": "accepted", "reject": "rejected", "both": "both", "edit": "edited"}


@dataclass(frozen=True, slots=True)
class Answering:
    """Carries answers out in one room at a time; the first answer to a suggestion decides."""

    reporting: Reporting
    workers: Workers
    clock: Clock
    random: Random

    def one(
        self, handle: RoomHandle, book: Book, suggestion: str, choice: Choice, text: str, asker: Asker
    ) -> SuggestionView:
        """Answers one suggestion. Raises NotFound, InvalidInput, and Conflict with who answered first, or with why
        it cannot be done.
        """
        if text and choice != "edit":
            raise InvalidInput("A text goes only with the choice edit.", field="text")
        found = book.suggestions.unanswered(SuggestionId(suggestion))
        if choice not in choices(found):
            raise InvalidInput(
                f"The suggestion {found.suggestion} can be answered with {', '.join(choices(found))}.",
                field="choice",
            )
        ours = current(handle.document, found)
        if choice != "reject":
            try:
                self._carry_out(handle, book, with_place(found, handle.document), choice, text, asker)
            except Conflict:
                if not _lost(found, handle):
                    raise
                self._note(handle, book, found, "gone", asker, ours)
                raise
        return self._note(handle, book, found, _STATES[choice], asker, ours)

    def all(
        self, handle: RoomHandle, book: Book, job: str, path: str | None, choice: Choice, asker: Asker
    ) -> tuple[list[SuggestionView], list[str]]:
        """Answers all open suggestions of a job, or of one of its files, in the order in which they came.

        Returns those that were answered, and of the others why not. Raises NotFound, InvalidInput.
        """
        if choice not in {"accept", "reject"}:
            raise InvalidInput("Several suggestions at once can be answered with accept, reject.", field="choice")
        book.job(job)
        done: list[SuggestionView] = []
        failed: list[str] = []
        for found in book.suggestions.open():
            if found.job == job and path in {None, found.path}:
                try:
                    done.append(self.one(handle, book, found.suggestion, choice, "", asker))
                except Conflict as error:
                    failed.append(f"{found.path}: {error.message}")
        return done, failed

    def _carry_out(
        self, handle: RoomHandle, book: Book, found: Suggestion, choice: Choice, text: str, asker: Asker
    ) -> None:
        update, ledger = answer(handle.document, found, client_id(self.random), choice, text)
        job = book.jobs.get(found.job)
        if update is not None:
            handle.apply(update, JobOrigin(found.job, asker.person))
        if job is None:
            return
        if job.undone:
            # Only what is new can be undone now.
            book.ledgers.pop(job.id, None)
            job.undone = False
        for change in [book.extend_ledger(job.id, ledger), *book.drop_redo(job.id)]:
            self.reporting.put(handle, change)
        active = self.workers.get(job.id)
        if active is not None and active.run is not None:
            active.run.accepted(ledger)
        job.wrote = True
        job.hunks_applied += 1
        job.touch((), [found.path])

    def _note(
        self, handle: RoomHandle, book: Book, found: Suggestion, state: State, asker: Asker, ours: str
    ) -> SuggestionView:
        done = book.suggestions.answered(found.suggestion, state, asker.name, self.clock.wall_ms(), ours)
        self.reporting.put(handle, Change(SUGGESTION, done.suggestion, done.to_bytes()))
        shown = view(done, handle.document)
        handle.announce(SuggestionAnswered(shown))
        job = book.jobs.get(done.job)
        if job is not None:
            job.settle(book.pending(job.id))
            self.reporting.save(handle, job)
            handle.announce(JobChanged(job.view()))
        return shown


def _lost(found: Suggestion, handle: RoomHandle) -> bool:
    """Whether the suggestion had a place, and has none any more."""
    if found.kind == "new_file":
        return False
    return found.file not in handle.document.listing().files or found.anchor is not None
