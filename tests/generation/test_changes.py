from __future__ import annotations

from dataclasses import replace

import pytest

from collab.errors import Conflict, InvalidInput
from collab.ids import ClientId, FileId, JobId, SuggestionId
from collab.ledger import Ledger
from collab.merge.suggestions import State, Suggestion
from collab.wire import IdRange
from generation.book import JOB, LEDGER, SUGGESTION, Book
from generation.changes import new_change, recorded
from generation.states import JobState
from generation.views import NewChange
from tests.generation.fakes import ADA, BOB

FILE = FileId("f")


def ledger(client: int) -> Ledger:
    made = Ledger()
    made.insert(FILE, IdRange(ClientId(client), 0, 4))
    return made


def asked(name: str, state: State = "open") -> Suggestion:
    return Suggestion(SuggestionId(name), JobId("c1"), FILE, "a.txt", "Because.", "hunk", "a", "b", state=state)


def part(client: int, *suggestions: Suggestion, more: bool = False, writes: bool = True) -> NewChange:
    made = ledger(client) if writes else Ledger()
    paths = [f"{client}.txt"]
    return new_change(JobId("c1"), "import", "Import", ClientId(client), paths, made, suggestions, 2, more=more)


def test_a_change_is_a_job_that_has_ended() -> None:
    book = Book()
    job, changes = recorded(book, part(7), ADA, "#111111", 5)
    assert (job.kind, job.state, job.can_undo, job.created_ms) == ("import", JobState.COMPLETE, True, 5)
    assert [change.kind for change in changes] == [LEDGER]
    assert book.jobs == {"c1": job}


def test_only_open_questions_wait_for_somebody() -> None:
    book = Book()
    job, changes = recorded(book, part(7, asked("s1"), asked("s2", "merged")), ADA, "", 5)
    assert (job.state, job.hunks_pending) == (JobState.NEEDS_REVIEW, 1)
    assert [change.kind for change in changes] == [LEDGER, SUGGESTION, SUGGESTION]
    job, _ = recorded(Book(), part(7, asked("s2", "merged")), ADA, "", 5)
    assert job.state is JobState.COMPLETE


def test_a_further_part_adds_to_the_change_and_the_same_one_twice_does_not() -> None:
    book = Book()
    recorded(book, part(7), ADA, "", 5)
    job, _ = recorded(book, part(8, asked("s1"), more=True), ADA, "", 6)
    assert (job.clients, job.files, job.hunks_applied) == ([7, 8], ["7.txt", "8.txt"], 4)
    assert Ledger.from_bytes(book.ledgers[job.id]).inserted == [*ledger(7).inserted, *ledger(8).inserted]
    assert job.state is JobState.NEEDS_REVIEW
    assert recorded(book, part(8, asked("s1"), more=True), ADA, "", 7) == (job, [])
    assert job.hunks_applied == 4


def test_a_further_part_of_what_is_forgotten_begins_the_change_anew() -> None:
    book = Book()
    job, _ = recorded(book, part(8, more=True), ADA, "", 6)
    assert (job.id, job.can_undo) == ("c1", True)


def test_an_id_that_something_else_has_is_refused() -> None:
    book = Book()
    job, _ = recorded(book, part(7), ADA, "", 5)
    for change, asker in (
        (part(8), ADA),
        (part(8, more=True), BOB),
        (replace(part(8, more=True), kind="put"), ADA),
    ):
        with pytest.raises(Conflict, match="use another id"):
            recorded(book, change, asker, "", 6)
    job.undone = True
    with pytest.raises(Conflict):
        recorded(book, part(8, more=True), ADA, "", 6)
    assert Ledger.from_bytes(book.ledgers[job.id]).inserted == ledger(7).inserted


def test_a_question_that_was_asked_is_not_asked_again() -> None:
    book = Book()
    first, _ = recorded(book, part(7, asked("s1")), ADA, "", 5)
    again = replace(part(8, asked("s1"), writes=False), change="c2")
    assert recorded(book, again, ADA, "", 6) == (first, [])
    assert list(book.jobs) == ["c1"]
    other = replace(part(9, asked("s1"), asked("s2")), change="c2")
    job, changes = recorded(book, other, ADA, "", 7)
    assert [(change.kind, change.key) for change in changes] == [(LEDGER, "c2"), (SUGGESTION, "s2")]
    assert book.suggestions.get("s2").job == job.id == "c2"
    assert JOB not in {change.kind for change in changes}


@pytest.mark.parametrize("data", ["*", "AAAA"])
def test_what_cannot_be_read_is_refused(data: str) -> None:
    with pytest.raises(InvalidInput, match="same version"):
        recorded(Book(), replace(part(7), ledger=data), ADA, "", 5)


def test_changes_do_not_push_jobs_out_of_the_book() -> None:
    book = Book()
    for number in range(4):
        recorded(book, replace(part(number), change=f"c{number}"), ADA, "", number)
    ai = replace(book.jobs[JobId("c0")], id=JobId("j1"), kind="job")
    book.jobs = {ai.id: ai, **book.jobs}
    changes = book.trim(2)
    assert list(book.jobs) == ["j1", "c2", "c3"]
    assert {change.key for change in changes} == {"c0", "c1"}
