from __future__ import annotations

import pytest

from collab.document import Document
from collab.errors import StoreCorrupt
from collab.ids import ClientId, FileId
from collab.ledger import Copy, Created, Deleted, Inserted, Ledger, Removed, Renamed
from collab.merge.session import MergeSession
from collab.undo import undo
from collab.wire import IdRange

FILE = FileId("f1")


def document(text: str) -> Document:
    live = Document(ClientId(1))
    live.edit(lambda editor: editor.create(FILE, "a.txt", text))
    return live


def pull(session: MergeSession, live: Document, *others: Ledger) -> None:
    pulled = session.pull(live, lambda: others)
    if pulled.update is not None:
        session.merged(live.apply([pulled.update], track=True), live)


def rewritten(live: Document, text: str, client: int) -> Ledger:
    session = MergeSession(live, ClientId(client))
    number = session.open_whole(FILE)
    session.write(number, text)
    session.close(number)
    pulled = session.pull(live)
    assert pulled.update is not None
    session.merged(live.apply([pulled.update], track=True), live)
    return Ledger.from_bytes(session.ledger.to_bytes())


def taken_back(live: Document, ledger: Ledger, *others: Ledger, again: bool = False) -> Ledger:
    update, redo = undo(ledger, live, others, again=again)
    if update is not None:
        live.apply([update])
    return Ledger.from_bytes(redo.to_bytes())


def restarted(live: Document) -> Document:
    loaded = Document(ClientId(2))
    loaded.apply([live.encode()])
    return loaded


def test_text_comes_back_around_what_people_typed_between_its_characters() -> None:
    live = document("abcd\n")
    person = live.fork(ClientId(7))
    ledger = rewritten(live, "", 9)
    person.edit(lambda editor: editor.splice(FILE, 2, 2, "XY"))
    live.apply([person.encode(live.state_vector())])
    assert live.text(FILE) == "XY"
    live = restarted(live)
    taken_back(live, ledger)
    assert live.text(FILE) == "abXYcd\n"


def test_what_people_typed_in_the_jobs_text_survives() -> None:
    live = document("a\n")
    ledger = rewritten(live, "a\nfrom the job\n", 9)
    live.edit(lambda editor: editor.splice(FILE, 6, 6, "PERSON"))
    redo = taken_back(live, ledger)
    assert live.text(FILE) == "a\nPERSON"
    live = restarted(live)
    taken_back(live, redo)
    assert live.text(FILE) == "a\nfromPERSON the job\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_people_typed_in_a_line_of_the_job_joins_no_other_line(end: str) -> None:
    live = document(f"a{end}z{end}")
    ledger = rewritten(live, f"a{end}job{end}more{end}z{end}", 9)
    at = live.text(FILE).index("job") + 3
    live.edit(lambda editor: editor.splice(FILE, at, at, "  # coarse 😀"))
    first = live.text(FILE)
    undone = f"a{end}  # coarse 😀{end}z{end}"
    for _ in range(2):
        redo = taken_back(live, ledger)
        assert live.text(FILE) == undone
        ledger = taken_back(live, redo, again=True)
        assert live.text(FILE) == first
    live.edit(lambda editor: editor.splice(FILE, at, at + 12, ""))
    taken_back(live, ledger)
    assert live.text(FILE) == f"a{end}z{end}"


def test_a_last_line_that_the_job_went_on_comes_back_without_a_line_end() -> None:
    live = document("{\n}")
    ledger = rewritten(live, "{\n  }\n}", 9)
    taken_back(live, ledger)
    assert live.text(FILE) == "{\n}"


def test_what_people_deleted_of_the_jobs_text_stays_deleted_at_redo() -> None:
    live = document("")
    ledger = rewritten(live, "keep drop 😀\n", 9)
    live.edit(lambda editor: editor.splice(FILE, 4, 9, ""))
    redo = taken_back(live, ledger)
    assert live.text(FILE) == ""
    taken_back(live, redo)
    assert live.text(FILE) == "keep 😀\n"


def test_text_that_somebody_had_deleted_before_the_merge_does_not_come_back() -> None:
    live = document("a\ngone\nz\n")
    session = MergeSession(live, ClientId(9))
    number = session.open_whole(FILE)
    session.write(number, "a\n")
    session.close(number)
    pulled = session.pull(live)
    assert pulled.update is not None
    live.edit(lambda editor: editor.splice(FILE, 2, 7, ""))
    session.merged(live.apply([pulled.update], track=True), live)
    assert live.text(FILE) == "a\n"
    taken_back(live, session.ledger)
    assert live.text(FILE) == "a\nz\n"


def test_neighbouring_lines_of_two_jobs_come_back_in_their_order() -> None:
    for first in (0, 1):
        live = document("L1\nL2\n")
        ledgers = [rewritten(live, "one\nL2\n", 9), rewritten(live, "one\ntwo\n", 10)]
        redo = taken_back(live, ledgers[first], ledgers[1 - first])
        live = restarted(live)
        taken_back(live, ledgers[1 - first], redo)
        assert live.text(FILE) == "L1\nL2\n"


def test_text_of_an_undone_job_is_not_brought_back_by_the_undo_of_another() -> None:
    live = document("")
    one = rewritten(live, "first job\n", 9)
    two = rewritten(live, "", 10)
    redo = taken_back(live, one, two)
    taken_back(live, two, redo)
    assert live.text(FILE) == ""


def test_text_that_an_undo_brought_back_is_still_its_jobs() -> None:
    live = document("")
    one = rewritten(live, "first job\n", 9)
    two = rewritten(live, "xyz", 10)
    redo = taken_back(live, two, one)
    assert live.text(FILE) == "first job\n"
    again = taken_back(live, redo, one)
    redo = taken_back(live, again, one)
    assert live.text(FILE) == "first job\n"
    taken_back(live, one, redo)
    assert live.text(FILE) == ""


def test_text_that_two_jobs_deleted_comes_back_once_neither_keeps_it_away() -> None:
    live = document("text\n")
    one = rewritten(live, "one\n", 9)
    redo_one = taken_back(live, one)
    two = rewritten(live, "two\n", 10)
    one = taken_back(live, redo_one, two, again=True)
    redo_two = taken_back(live, two, one)
    assert live.text(FILE) == "one\n"
    live = restarted(live)
    two = taken_back(live, redo_two, one, again=True)
    redo_one = taken_back(live, one, two)
    assert live.text(FILE) == "two\n"
    taken_back(live, two, redo_one)
    assert live.text(FILE) == "text\n"


def test_text_that_another_job_deleted_comes_back_with_the_redo_of_its_own() -> None:
    live = document("")
    one = rewritten(live, "first job\n", 9)
    two = rewritten(live, "", 10)
    redo_one = taken_back(live, one, two)
    redo_two = taken_back(live, two, redo_one)
    assert live.text(FILE) == ""
    live = restarted(live)
    one = taken_back(live, redo_one, redo_two, again=True)
    assert live.text(FILE) == "first job\n"
    two = taken_back(live, redo_two, one, again=True)
    assert live.text(FILE) == ""
    redo_two = taken_back(live, two, one)
    assert live.text(FILE) == "first job\n"
    taken_back(live, one, redo_two)
    assert live.text(FILE) == ""


def test_text_that_a_job_took_back_itself_is_not_put_back_by_the_undo_of_another() -> None:
    live = document("a\n")
    session = MergeSession(live, ClientId(9))
    number = session.open_hunk(FILE, 2, 2)
    session.write(number, "withdrawn\n")
    pull(session, live)
    two = rewritten(live, "a\n", 10)
    session.withdraw(number)
    pull(session, live)
    taken_back(live, two, Ledger.from_bytes(session.ledger.to_bytes()))
    assert live.text(FILE) == "a\n"


def test_a_job_that_takes_back_a_hunk_does_not_put_back_text_of_an_undone_job() -> None:
    live = document("a\n")
    one = rewritten(live, "a\nthe line of the first job\n", 9)
    session = MergeSession(live, ClientId(10))
    number = session.open_hunk(FILE, 2, len(live.text(FILE)))
    session.write(number, "the line of the other job\nmore\nand more\n")
    pull(session, live)
    assert "first" not in live.text(FILE)
    redo = taken_back(live, one, session.ledger)
    session.withdraw(number)
    pull(session, live, redo)
    # The end of the line stays: something else stood in it when the job was undone.
    assert live.text(FILE) == "a\n\n"
    two = Ledger.from_bytes(session.ledger.to_bytes())
    taken_back(live, redo, two, again=True)
    assert live.text(FILE) == "a\nthe line of the first job\n"


def test_a_job_that_made_a_file_and_changed_another_is_undone_and_redone() -> None:
    live = document("a\n")
    session = MergeSession(live, ClientId(9))
    number = session.open_file(FileId("f2"), "new.txt")
    session.write(number, "new\n")
    session.close(number)
    pull(session, live)
    number = session.open_whole(FILE)
    session.write(number, "b\n")
    session.close(number)
    pull(session, live)
    ledger = Ledger.from_bytes(session.ledger.to_bytes())
    live = restarted(live)
    redo = taken_back(live, ledger)
    assert [(file.path, live.text(file.id)) for file in live.listing().files.values()] == [("a.txt", "a\n")]
    live = restarted(live)
    ledger = taken_back(live, redo, again=True)
    texts = sorted((file.path, live.text(file.id)) for file in live.listing().files.values())
    assert texts == [("a.txt", "b\n"), ("new.txt", "new\n")]
    taken_back(live, ledger)
    assert [(file.path, live.text(file.id)) for file in live.listing().files.values()] == [("a.txt", "a\n")]


def test_an_undo_leaves_the_live_document_to_its_caller() -> None:
    live = document("a\n")
    ledger = rewritten(live, "b\n", 9)
    state = live.encode()
    undo(ledger, live)
    assert live.encode() == state


def test_undoing_the_same_ledger_again_changes_nothing() -> None:
    live = document("a\n")
    ledger = rewritten(live, "b\n", 9)
    taken_back(live, ledger)
    live = restarted(live)
    update, redo = undo(ledger, live)
    assert update is None
    assert redo.empty


def test_an_empty_ledger_does_nothing() -> None:
    assert undo(Ledger(), document("a"))[0] is None


def test_undo_in_a_deleted_file_does_nothing() -> None:
    live = document("a\n")
    ledger = rewritten(live, "b\n", 9)
    live.edit(lambda editor: editor.delete(FILE))
    assert undo(ledger, live)[0] is None


def test_all_replicas_agree_after_an_undo() -> None:
    live = document("one\ntwo\n")
    ledger = rewritten(live, "ONE\ntwo\nthree\n", 9)
    person = live.fork(ClientId(7))
    person.edit(lambda editor: editor.splice(FILE, 1, 2, "é😀"))
    taken_back(live, ledger)
    live.apply([person.encode(live.state_vector())])
    person.apply([live.encode(person.state_vector())])
    assert live.text(FILE) == person.text(FILE)
    assert "é😀" in live.text(FILE)


def test_a_stored_ledger_that_cannot_be_read_says_so() -> None:
    with pytest.raises(StoreCorrupt):
        Ledger.from_bytes(b"[]")


def test_a_ledger_comes_out_of_the_store_as_it_went_in() -> None:
    ids = IdRange(ClientId(7), 3, 2)
    deleted = Deleted(FILE, "ab", (ids,), (ids,))
    ledger = Ledger(
        [Inserted(FILE, ids)],
        [deleted],
        [Created(FILE, "a.txt")],
        [Renamed(FILE, "a.txt", "b.txt")],
        [Removed(FILE, "a.txt", "text")],
        [Copy(FILE, ids, (ids,))],
        [Inserted(FILE, ids)],
        [deleted],
        [Inserted(FILE, ids)],
        [deleted],
    )
    assert Ledger.from_bytes(ledger.to_bytes()) == ledger
    # As before there were more kinds, since the client id of an undo is derived from these bytes.
    assert Ledger().to_bytes() == (
        b'{"inserted":[],"deleted":[],"created":[],"renamed":[],"removed":[],"copies":[],"buried":[]}'
    )
