"""What the entries of a log tell about who wrote what."""

from __future__ import annotations

from typing import Any

import pytest
from pycrdt import Doc, Text

from collab.attribution import NOBODY, Attribution, Author
from collab.attribution_codec import encode, pack_copies
from collab.authorship import TOGETHER, Authorship, credit, credited, written
from collab.document import Document, merge_updates
from collab.errors import MalformedMessage
from collab.ids import ClientId, ConnectionId, FileId, JobId, PersonId
from collab.ledger import Copy
from collab.origin import (
    ChangeOrigin,
    ImportOrigin,
    JobOrigin,
    NodeOrigin,
    Origin,
    PersonOrigin,
    RestoreOrigin,
    UndoOrigin,
)
from collab.ports import Checkpoint, LogEntry, StoredRoom
from collab.wire import IdRange

NOON = 1_700_000_000_000
ANN = PersonOrigin(PersonId("Ann"), ConnectionId("c1"))
BOB = PersonOrigin(PersonId("Bob"), ConnectionId("c2"))


class Typist:
    """A client that types; ``sent`` are the updates that it made."""

    def __init__(self, client: int) -> None:
        self.sent: list[bytes] = []
        self.doc: Doc[Any] = Doc(client_id=client)
        self.text: Text = self.doc.get("text", type=Text)
        self._subscription = self.doc.observe(lambda event: self.sent.append(event.update))

    def type(self, text: str) -> bytes:
        self.text += text
        return self.sent[-1]


def entry(update: bytes, origin: Origin = ANN, at_ms: int = NOON) -> LogEntry:
    return LogEntry(1, at_ms, origin, update)


def who(table: Attribution, client: int, length: int) -> list[tuple[int, Author]]:
    return [(one.length, one.author) for one in table.written(ClientId(client), 0, length)]


def test_the_ids_of_an_update_are_read_from_it() -> None:
    ann, bob = Typist(5), Typist(6)
    for text in ("a", "häß", "𝄞x", "long " * 100):
        before = sum(ids.length for update in ann.sent for ids in written(update))
        update = ann.type(text)
        assert written(update) == [IdRange(ClientId(5), before, len(text.encode("utf-16-le")) // 2)]
    bob.type("b")
    both = merge_updates([*ann.sent, *bob.sent])
    assert sorted(written(both), key=lambda ids: ids.client) == [
        IdRange(ClientId(5), 0, 507),
        IdRange(ClientId(6), 0, 1),
    ]


def test_a_hole_in_an_update_is_no_edit() -> None:
    ann = Typist(5)
    first, _, third = ann.type("aa"), ann.type("bb"), ann.type("cc")
    assert written(merge_updates([first, third])) == [IdRange(ClientId(5), 0, 2), IdRange(ClientId(5), 4, 2)]


def test_what_is_no_update_has_no_ids() -> None:
    with pytest.raises(MalformedMessage):
        written(b"\x01\x05")
    table = Attribution()
    credit(table, [entry(b"\x01\x05")])
    assert not table


@pytest.mark.parametrize(
    ("origin", "author"),
    [
        (ANN, Author("person", "Ann")),
        (JobOrigin(JobId("j1"), PersonId("Ann")), Author("job", "j1", "Ann")),
        (UndoOrigin(JobId("j1"), PersonId("Ann")), Author("undo", "j1", "Ann")),
        (ImportOrigin(PersonId("http:Ann")), Author("import", "http:Ann")),
        (ChangeOrigin("c1", PersonId("Ann"), "put"), Author("change", "c1", "Ann")),
        (NodeOrigin("n1"), NOBODY),
        (RestoreOrigin(), NOBODY),
    ],
)
def test_each_origin_has_its_author(origin: Origin, author: Author) -> None:
    table = Attribution()
    credit(table, [entry(Typist(5).type("abc"), origin)])
    assert who(table, 5, 3) == [(3, author)]


def test_what_was_relayed_is_not_the_relayers() -> None:
    ann, bob = Typist(5), Typist(6)
    relayed = PersonOrigin(PersonId("Bob"), ConnectionId("c2"), (ClientId(5),))
    table = Attribution()
    credit(table, [entry(merge_updates([ann.type("aaa"), bob.type("bb")]), relayed)])
    assert who(table, 6, 2) == [(2, Author("person", "Bob"))]
    assert who(table, 5, 3) == [(3, Author("unknown", "Bob"))]
    credit(table, [entry(ann.type("aaa"), ANN)])
    assert {author for _, author in who(table, 5, 6)} == {Author("person", "Ann")}


def test_typing_in_turn_is_told_apart_as_entry_by_entry() -> None:
    ann, bob, job = Typist(5), Typist(6), Typist(7)
    log: list[LogEntry] = []
    for number in range(300):
        written = JobOrigin(JobId("j1" if number < 200 else "j2"), PersonId("Ann"))
        log.append(entry(job.type("token "), written, NOON + number * 40))
        log.append(entry(ann.type("a"), ANN, NOON + number * 700))
        log.append(entry(bob.type("ö" if number % 7 == 0 else "b"), BOB, NOON + number * 700 + number**2))
    together, one_by_one = Attribution(), Attribution()
    credit(together, log)
    for one in log:
        credit(one_by_one, [one])
    assert len(together) < 40
    assert who(together, 7, 1800) == who(one_by_one, 7, 1800)
    assert [(length, author.id) for length, author in who(together, 7, 1800)] == [(1200, "j1"), (600, "j2")]
    for client, name in ((5, "Ann"), (6, "Bob")):
        assert {author.id for _, author in who(together, client, 300)} == {name}
        for clock in range(300):
            (ours,) = together.written(ClientId(client), clock, 1)
            (theirs,) = one_by_one.written(ClientId(client), clock, 1)
            assert abs(ours.first_ms - theirs.first_ms) <= 60_000


def test_an_undo_says_what_is_a_copy() -> None:
    ann, server = Typist(5), Typist(9)
    copies = pack_copies([Copy(FileId("f"), IdRange(ClientId(9), 0, 3), (IdRange(ClientId(5), 0, 3),))])
    undo = UndoOrigin(JobId("j1"), PersonId("Bob"), copies=copies)
    table = Attribution()
    credit(table, [entry(server.type("abc"), undo), entry(ann.type("abc"), ANN)])
    assert who(table, 9, 3) == [(3, Author("person", "Ann"))]


def test_edits_that_were_put_together_bring_their_table() -> None:
    ann = Typist(5)
    table = credited(b"", [entry(ann.type("abc"), ANN)])
    found = credited(b"", [entry(merge_updates(ann.sent), RestoreOrigin(encode(table)))])
    assert found == table


def test_a_table_of_a_newer_version_is_passed_over() -> None:
    assert not credited(b"", [entry(Typist(5).type("a"), RestoreOrigin(b"\x91\x07"))])


def test_a_room_knows_what_its_checkpoint_and_its_log_tell() -> None:
    ann, bob = Typist(5), Typist(6)
    before = encode(credited(b"", [entry(ann.type("abc"), ANN)]))
    subject = Authorship()
    subject.load(StoredRoom(Checkpoint(1, b"", (), before), (entry(bob.type("de"), BOB),)))
    subject.add(entry(ann.type("f"), ANN))
    assert who(subject.table(), 5, 4) == [(4, Author("person", "Ann"))]
    assert who(subject.table(), 6, 2) == [(2, Author("person", "Bob"))]
    assert [one.author.id for one in subject.since(0)] == ["Ann", "Bob"]


def test_entries_do_not_pile_up() -> None:
    ann = Typist(5)
    subject = Authorship()
    for _ in range(10 * TOGETHER):
        subject.add(entry(ann.type("a"), ANN))
        assert subject.waiting < TOGETHER
    subject.load(StoredRoom(None, tuple(entry(ann.type("a"), ANN) for _ in range(1500))))
    for _ in range(3):
        subject.tick()
    assert subject.waiting == 0


def test_the_part_of_some_updates_goes_with_them() -> None:
    ann, bob = Typist(5), Typist(6)
    subject = Authorship()
    first = ann.type("abc")
    for update, origin in ((first, ANN), (ann.type("def"), ANN), (bob.type("g"), BOB)):
        subject.add(entry(update, origin))
    part = credited(b"", [entry(first, RestoreOrigin(subject.of([first, b"\x01\x05"])))])
    assert [(client, clock, length, author.id) for client, clock, length, author, *_ in part.rows()] == [
        (5, 0, 3, "Ann")
    ]


def test_a_table_that_cannot_be_read_does_not_keep_edits_from_being_stored() -> None:
    ann = Typist(5)
    subject = Authorship()
    subject.load(StoredRoom(Checkpoint(1, b"", (), b"garbage"), (entry(ann.type("a"), ANN),)))
    assert credited(subject.encoded(), []).authors() == (Author("person", "Ann"),)


def test_documents_write_updates_that_are_understood() -> None:
    document = Document(ClientId(3))
    _, applied = document.edit(lambda editor: editor.create(FileId("f"), "a.txt", "text"))
    assert applied.update is not None
    (ids,) = written(applied.update)
    assert (ids.client, ids.clock) == (3, 0)
    assert ids.length >= 4
