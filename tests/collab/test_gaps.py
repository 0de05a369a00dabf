from __future__ import annotations

import pytest

from collab.document import EMPTY_UPDATE, Document, merge_updates
from collab.gaps import Intake, Reach
from collab.ids import ClientId
from collab.wire import IdRange, decode_state_vector, delete_set_update
from tests.collab.replicas import FILE, Replica, copy_of, replica_with_file


def document(*updates: bytes) -> Document:
    made = Document(ClientId(77))
    made.apply(updates)
    return made


def text(made: Document) -> str:
    return made.text(FILE)


def two_edits() -> tuple[bytes, bytes, bytes]:
    """A file of ten digits, and two edits of another client whose neighbours are all in that file."""
    ann = replica_with_file(text="0123456789")
    ben = copy_of(ann, 2)
    return ann.missing(), ben.insert(5, "one"), ben.insert(2, "two")


def test_what_is_behind_a_gap_is_kept_until_the_gap_is_filled() -> None:
    file, one, two = two_edits()
    made = document(file, two)
    assert text(made) == "0123456789"
    assert not decode_state_vector(made.state_vector()).get(ClientId(2))
    made.apply([one])
    assert text(made) == "01two234one56789"


def test_what_is_behind_a_gap_is_not_given_to_others() -> None:
    file, _, two = two_edits()
    made = document(file, two)
    assert text(document(made.encode())) == "0123456789"
    assert made.lacks(two)[0] == 1


def test_the_gap_may_be_within_an_update() -> None:
    file, one, two = two_edits()
    third = Replica(3).create(path="b.txt", file="f2")
    made = document(file, merge_updates([two, third]))
    assert decode_state_vector(made.state_vector()).get(ClientId(3))
    assert "two" not in text(made)
    made.apply([one])
    assert "two" in text(made)


def test_of_two_edits_of_one_client_the_second_waits_with_the_first_for_what_that_needs() -> None:
    ann = replica_with_file(text="0123456789")
    file = ann.missing()
    cid = copy_of(ann, 3)
    needed = cid.insert(10, "xyz")
    ben = copy_of(cid, 2)
    both = merge_updates([ben.insert(12, "B"), ben.insert(2, "A")])
    made = document(file, both)
    assert text(made) == "0123456789"
    made.apply([needed])
    assert text(made) == "01A23456789xyBz"


def test_a_deletion_that_came_before_what_it_deletes_is_not_forgotten() -> None:
    ann = replica_with_file(text="ab")
    base = ann.missing()
    typed = ann.insert(2, "cd")
    deleted = ann.delete(2, 4)
    made = document(base, deleted)
    for _ in range(3):
        # What pycrdt keeps aside it may forget when it is told again.
        made.apply([deleted])
    made.apply([typed])
    assert text(made) == "ab"


def test_what_an_update_deletes_is_deleted_though_its_edits_wait() -> None:
    ann = replica_with_file(text="0123456789")
    base = ann.missing()
    ann.insert(0, "lost")
    mixed = merge_updates([ann.insert(14, "late"), ann.delete(12, 14)])
    made = document(base, mixed)
    assert text(made) == "01234567"


def test_updates_in_any_order_in_one_transaction_come_in() -> None:
    file, one, two = two_edits()
    assert text(document(two, one, file)) == "01two234one56789"


def test_a_copy_of_a_document_has_what_it_has_and_nothing_that_waits() -> None:
    file, _, two = two_edits()
    made = document(file, two)
    copy = Document(ClientId(78))
    copy.copy(made)
    assert text(copy) == text(made)
    made.apply([delete_set_update([IdRange(ClientId(1), 3, 2)])])
    copy.copy(made)
    assert text(copy) == text(made)


def test_what_cannot_be_read_is_refused_and_forgotten() -> None:
    file, one, two = two_edits()
    made = document(file)
    broken = one[:-3]
    assert [index for index, _ in made.apply([broken, two]).rejected] == [0]
    made.apply([one])
    assert text(made) == "01two234one56789"


@pytest.mark.parametrize("typed", ["a", "é", "👋", "x" * 200])
def test_the_reach_of_a_text_is_counted_as_yjs_counts_it(typed: str) -> None:
    ann = replica_with_file(text="|")
    made = document(ann.missing())
    for _ in range(3):
        made.apply([ann.insert(1, typed)])
    assert text(made) == "|" + typed * 3
    assert made.state_vector() == document(ann.missing()).state_vector()


def test_the_state_is_read_only_when_what_is_known_does_not_do() -> None:
    ann = replica_with_file(text="|")
    reads: list[bytes] = []

    def state() -> bytes:
        reads.append(b"")
        return EMPTY_UPDATE[:1]

    reach = Reach(state)
    assert reach.part(ann.missing()).whole
    before = len(reads)
    for _ in range(10):
        part = reach.part(ann.insert(1, "a"))
        assert (part.whole, part.news) == (True, True)
    assert len(reads) == before


def test_what_was_there_is_no_news() -> None:
    ann = replica_with_file(text="|")
    reach = Reach(ann.state)
    part = reach.part(ann.missing())
    assert (part.whole, part.news) == (True, False)


def test_a_plan_names_the_updates_that_it_is_of() -> None:
    file, one, two = two_edits()
    intake = Intake(lambda: b"\0")
    first = intake.plan([two, b"\xff\xff\xff\xff\x0f\0"])
    assert [index for index, _ in first.steps] == []
    assert [index for index, _ in first.refused] == [1]
    second = intake.plan([file, one])
    assert [index for index, _ in second.steps] == [0, 1, None]


def test_a_replica_gives_on_what_waits_as_yjs_does() -> None:
    file, one, two = two_edits()
    client = Replica(9)
    client.apply(file)
    client.apply(two)
    made = document(file, client.missing(), one)
    assert "two" in text(made)
