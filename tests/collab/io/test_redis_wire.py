from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.errors import StoreCorrupt
from collab.ids import ConnectionId, JobId, NodeId, PersonId, RoomId
from collab.io import redis_wire
from collab.io.redis_wire import Deleted, Entries, Message
from collab.origin import JobOrigin, Origin, PersonOrigin, RestoreOrigin
from collab.ports import LogEntry
from collab.shared import SharedEntry, Stamp

ORIGINS = st.sampled_from(
    [PersonOrigin(PersonId("Ünal"), ConnectionId("c")), JobOrigin(JobId("j"), PersonId("p")), RestoreOrigin()]
)
NUMBERS = st.integers(1, 2**53 - 1)


@given(NUMBERS, NUMBERS, NUMBERS, ORIGINS, st.binary(max_size=300))
def test_an_entry_comes_back_with_its_stamp(
    position: int, number: int, at_ms: int, origin: Origin, update: bytes
) -> None:
    packed = redis_wire.pack_entry("writer", LogEntry(number, at_ms, origin, update, fence=7))
    found = redis_wire.unpack_entry(position, packed)
    assert found == SharedEntry(LogEntry(position, at_ms, origin, update), Stamp("writer", number))


def test_an_entry_that_was_changed_is_corrupt() -> None:
    packed = redis_wire.pack_entry("w", LogEntry(1, 2, RestoreOrigin(), b"update"))
    with pytest.raises(StoreCorrupt, match=r"Entry 3 .* checksum"):
        redis_wire.unpack_entry(3, packed.replace(b"update", b"updatf"))


@given(st.binary(max_size=60))
def test_nothing_that_comes_in_raises_anything_but_corrupt(data: bytes) -> None:
    for read in (lambda: redis_wire.unpack_entry(1, data), lambda: redis_wire.unpack_message(data, "w")):
        try:
            read()
        except StoreCorrupt:
            continue


def test_a_message_comes_back_unless_this_process_sent_it() -> None:
    packed = redis_wire.pack_message(NodeId("w.12"), b"\x00payload")
    assert redis_wire.unpack_message(packed, "other") == Message(NodeId("w.12"), b"\x00payload")
    assert redis_wire.unpack_message(packed, "w") is None


def test_entries_of_other_processes_are_read() -> None:
    entry = LogEntry(9, 2, RestoreOrigin(), b"update")
    packed = redis_wire.pack([b"e", "log", 5, "w", [redis_wire.pack_entry("w", entry)]])
    expected = SharedEntry(LogEntry(5, 2, RestoreOrigin(), b"update"), Stamp("w", 9))
    assert redis_wire.unpack_message(packed, "other") == Entries("log", (expected,))
    assert redis_wire.unpack_message(packed, "w") is None


def test_a_deletion_by_another_process_is_read() -> None:
    packed = redis_wire.pack([b"d", "log", "w"])
    assert redis_wire.unpack_message(packed, "other") == Deleted("log")
    assert redis_wire.unpack_message(packed, "w") is None
    assert redis_wire.deleted_log(redis_wire.deleted_payload("log")) == "log"


def test_a_message_of_a_kind_that_is_not_known_says_what_to_do() -> None:
    with pytest.raises(StoreCorrupt, match="same version"):
        redis_wire.unpack_message(msgpack.packb([b"x", 1]), "w")


def test_all_names_of_a_room_share_its_hash_tag() -> None:
    assert redis_wire.base("pairloom:", RoomId("team/project")) == "pairloom:{team/project}"
