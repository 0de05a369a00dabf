"""Who wrote what of a file, in the words of the messages."""

from __future__ import annotations

from collab.attribution import Attribution, Author
from collab.authorship import credit
from collab.document import Document
from collab.ids import ClientId, FileId, JobId, PersonId
from collab.ledger import Ledger
from collab.merge.edits import splice
from collab.origin import ImportOrigin, JobOrigin, Origin
from collab.ports import LogEntry
from server.blaming import author_part, blame_of, shown_name
from server.messages.blame import BlameAuthor, BlameResult
from server.messages.parts import Position
from tests.server.native_fakes import job_view

FILE = FileId("f1")
AT_MS = 1_700_000_000_000


def written(document: Document, table: Attribution, client: int, at: int, text: str, origin: Origin) -> None:
    update, _ = splice(document.fork(ClientId(client)), FILE, [(at, at, text)], Ledger())
    assert update is not None
    document.apply([update])
    credit(table, [LogEntry(0, AT_MS, origin, update)])


async def test_ranges_are_told_by_line_and_by_offset() -> None:
    document, table = Document(ClientId(1)), Attribution()
    document.edit(lambda editor: editor.create(FILE, "a.txt"))
    written(document, table, 5, 0, "😀 one\ntwo\n", ImportOrigin(PersonId("http:Kim")))
    written(document, table, 6, 8, "NEW\n", JobOrigin(JobId("j234567"), PersonId("Ann")))
    answer = await blame_of(document, document.file("a.txt"), table, [job_view(prompt="do it")], 7)
    assert BlameResult.model_validate_json(answer.model_dump_json()) == answer
    assert (answer.id, answer.file, answer.path) == (7, "f1", "a.txt")
    first, second, third = answer.ranges
    assert (first.start, first.end) == (Position(line=0, character=0), Position(line=1, character=2))
    assert (second.start, second.end) == (Position(line=1, character=2), Position(line=2, character=0))
    assert (third.start, third.end) == (Position(line=2, character=0), Position(line=3, character=0))
    assert [(one.offset, one.length, one.author) for one in answer.ranges] == [(0, 9, 0), (9, 4, 1), (13, 2, 0)]
    assert {one.at_ms for one in answer.ranges} == {AT_MS}
    assert answer.authors == [
        BlameAuthor(kind="import", author="http:Kim", name="Kim"),
        BlameAuthor(kind="job", author="j234567", name="Ann", job="j234567", model="tiny", prompt="do it"),
    ]


def test_a_job_that_is_not_kept_any_more_is_told_by_its_id() -> None:
    part = author_part(Author("job", "j1", "http:Ann"), {})
    assert part == BlameAuthor(kind="job", author="j1", name="Ann", job="j1")


def test_a_change_is_told_as_such() -> None:
    view = job_view(job="c1", kind="put", prompt="PUT a.txt", model="")
    for kind in ("job", "change"):
        part = author_part(Author("job" if kind == "job" else "change", "c1", "Ann"), {"c1": view})
        assert part == BlameAuthor(kind="change", author="c1", name="Ann", job="c1", prompt="PUT a.txt")


def test_who_only_brought_it_along_is_not_shown_as_its_author() -> None:
    assert author_part(Author("unknown", "Bob"), {}) == BlameAuthor(kind="unknown", author="Bob", name="")


def test_the_name_of_a_person_is_the_id_without_the_way_they_came() -> None:
    assert [shown_name("Ann"), shown_name("http:Kim")] == ["Ann", "Kim"]
