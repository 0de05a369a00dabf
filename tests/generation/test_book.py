from __future__ import annotations

from collab.ids import ClientId, FileId, JobId, PersonId, SuggestionId
from collab.ledger import Copy, Ledger
from collab.merge.suggestions import Suggestion
from collab.wire import IdRange
from generation.book import JOB, LEDGER, REDO, SENT, SUGGESTION, Book
from generation.jobs import Job
from generation.states import JobState


def job(name: str, created: int = 1) -> Job:
    return Job(JobId(name), "p", "Ada", PersonId("p"), "m", False, [ClientId(1)], "#000000", created)


def suggestion(name: str, of: str) -> Suggestion:
    return Suggestion(SuggestionId(name), JobId(of), None, "a.py", "r", "new_file", "", "x")


def read(jobs: list[Job], suggestions: list[Suggestion]) -> Book:
    return Book.read(
        {
            JOB: {one.id: one.to_bytes() for one in jobs} | {"bad": b"{"},
            LEDGER: {},
            REDO: {},
            SUGGESTION: {one.suggestion: one.to_bytes() for one in suggestions} | {"bad": b"{"},
        }
    )


def test_records_make_a_book_with_jobs_in_order_and_running_ones_interrupted() -> None:
    running = job("j2", 1)
    running.begin()
    ended = job("j1", 2)
    ended.cancel("Ada")
    book = read([ended, running], [suggestion("s1", "j1")])
    assert [(one.id, one.state) for one in book.jobs.values()] == [
        ("j2", JobState.INTERRUPTED),
        ("j1", JobState.CANCELLED),
    ]
    assert book.pending(JobId("j1")) == 1
    assert len(book.problems) == 2


def test_old_jobs_are_trimmed_but_not_those_with_open_suggestions() -> None:
    jobs = [job(f"j{number}", number) for number in range(4)]
    book = read(jobs, [suggestion("s0", "j0"), suggestion("s1", "j1")])
    book.suggestions.answered(SuggestionId("s1"), "rejected", "Ada")
    changes = book.trim(2)
    assert list(book.jobs) == ["j0", "j3"]
    assert {(change.kind, change.key) for change in changes} == {
        (kind, name) for kind in (JOB, LEDGER, REDO, SENT) for name in ("j1", "j2")
    } | {(SUGGESTION, "s1")}
    assert [one.suggestion for one in book.suggestions.all()] == ["s0"]


def test_a_ledger_grows() -> None:
    book = Book()
    change = None
    for clock in (0, 5):
        more = Ledger()
        more.insert(FileId("f"), IdRange(ClientId(1), clock, 2))
        change = book.extend_ledger(JobId("j1"), more)
    assert change is not None
    assert change.value is not None
    assert [item.ids.clock for item in Ledger.from_bytes(change.value).inserted] == [0, 5]


def test_a_ledger_that_only_others_need_is_no_sign_that_its_job_wrote() -> None:
    here, there = IdRange(ClientId(1), 0, 2), IdRange(ClientId(2), 0, 2)
    rest = Ledger(copies=[Copy(FileId("f"), there, (here,))])
    records = {JOB: {"j": job("j").to_bytes()}, LEDGER: {"j": rest.to_bytes()}, REDO: {}, SUGGESTION: {}}
    assert not Book.read(records).jobs[JobId("j")].wrote
    rest.insert(FileId("f"), here)
    records[LEDGER] = {"j": rest.to_bytes()}
    assert Book.read(records).jobs[JobId("j")].wrote
