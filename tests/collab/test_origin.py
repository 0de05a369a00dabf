"""Origins survive storage."""

from __future__ import annotations

import msgpack
import pytest

from collab.errors import StoreCorrupt
from collab.ids import ClientId, ConnectionId, JobId, PersonId
from collab.origin import (
    ChangeOrigin,
    ImportOrigin,
    JobOrigin,
    NodeOrigin,
    Origin,
    PersonOrigin,
    RestoreOrigin,
    UndoOrigin,
    author_of,
    from_record,
    is_plain,
    to_record,
)

ORIGINS: list[Origin] = [
    PersonOrigin(PersonId("Ann"), ConnectionId("c1")),
    PersonOrigin(PersonId("Ann"), ConnectionId("c1"), (ClientId(1), ClientId(2**53 - 1))),
    JobOrigin(JobId("j1"), PersonId("Ann")),
    UndoOrigin(JobId("j1"), PersonId("Ann"), redo=True),
    UndoOrigin(JobId("j1"), PersonId("Ann"), redo=False, copies=b"\x01"),
    JobOrigin(JobId("j1"), PersonId("Ann"), b"\x01"),
    ImportOrigin(PersonId("Ann")),
    ChangeOrigin("c1", PersonId("Ann"), "put"),
    NodeOrigin("n1"),
    RestoreOrigin(),
    RestoreOrigin(b"\x01"),
]


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: type(origin).__name__)
def test_an_origin_is_the_same_after_it_was_stored(origin: Origin) -> None:
    assert from_record(msgpack.unpackb(msgpack.packb(to_record(origin)))) == origin


def test_what_older_versions_do_not_know_is_not_written_where_it_says_nothing() -> None:
    assert to_record(JobOrigin(JobId("j1"), PersonId("Ann"))) == ["job", "j1", "Ann"]
    assert from_record(["undo", "j1", "Ann", True]) == UndoOrigin(JobId("j1"), PersonId("Ann"), redo=True)


def test_an_origin_with_a_table_of_its_own_does_not_come_again() -> None:
    assert is_plain(JobOrigin(JobId("j1"), PersonId("Ann")))
    assert not is_plain(JobOrigin(JobId("j1"), PersonId("Ann"), b"table"))
    assert not is_plain(RestoreOrigin(b"table"))


def test_the_author_of_an_origin_is_its_person_or_job() -> None:
    assert author_of(JobOrigin(JobId("j1"), PersonId("Ann"))) == "j1"
    assert author_of(ImportOrigin(PersonId("Ann"))) == "Ann"
    assert author_of(ChangeOrigin("c1", PersonId("Ann"), "put")) == "Ann"
    assert author_of(RestoreOrigin()) == ""


@pytest.mark.parametrize(
    "record",
    [
        None,
        "person",
        [],
        ["nobody"],
        ["person"],
        ["job", "a", "b", "c"],
        ["job", "a", "b", b"", "d"],
        [["person"]],
        {},
    ],
)
def test_a_record_that_is_no_origin_is_reported_as_corrupt(record: object) -> None:
    with pytest.raises(StoreCorrupt, match="origin"):
        from_record(record)
