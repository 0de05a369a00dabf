"""Origins survive storage."""

from __future__ import annotations

import msgpack
import pytest

from collab.errors import StoreCorrupt
from collab.ids import ClientId, ConnectionId, JobId, PersonId
from collab.origin import (
    ImportOrigin,
    JobOrigin,
    NodeOrigin,
    Origin,
    PersonOrigin,
    RestoreOrigin,
    UndoOrigin,
    from_record,
    to_record,
)

ORIGINS: list[Origin] = [
    PersonOrigin(PersonId("Ann"), ConnectionId("c1")),
    PersonOrigin(PersonId("Ann"), ConnectionId("c1"), (ClientId(1), ClientId(2**53 - 1))),
    JobOrigin(JobId("j1"), PersonId("Ann")),
    UndoOrigin(JobId("j1"), PersonId("Ann"), redo=True),
    ImportOrigin(PersonId("Ann")),
    NodeOrigin("n1"),
    RestoreOrigin(),
]


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: type(origin).__name__)
def test_an_origin_is_the_same_after_it_was_stored(origin: Origin) -> None:
    assert from_record(msgpack.unpackb(msgpack.packb(to_record(origin)))) == origin


@pytest.mark.parametrize(
    "record", [None, "person", [], ["nobody"], ["person"], ["job", "a", "b", "c"], [["person"]], {}]
)
def test_a_record_that_is_no_origin_is_reported_as_corrupt(record: object) -> None:
    with pytest.raises(StoreCorrupt, match="origin"):
        from_record(record)
