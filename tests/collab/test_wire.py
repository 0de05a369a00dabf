"""The codec: what it writes is what Yjs' own clients write, and what is wrong raises MalformedMessage."""

from __future__ import annotations

from typing import Any

import pytest
from pycrdt import Assoc, Awareness, Doc, StickyIndex, Text

from collab.errors import MalformedMessage, MalformedUpdate
from collab.ids import ClientId
from collab.wire import (
    MAX_UINT,
    AwarenessEntry,
    IdRange,
    anchor_json,
    awareness_message,
    claims,
    control,
    decode_anchor,
    decode_state_vector,
    delete_set_update,
    encode_state_vector,
    permission_denied,
    read_awareness,
    read_bytes,
    read_delete_set,
    read_text,
    read_uint,
    side_by_side,
    sync_step1,
    sync_step2,
    sync_update,
    write_bytes,
    write_uint,
)
from tests.collab.replicas import Replica


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (2**32 - 1, "ffffffff0f"),
        (MAX_UINT, "ffffffffffffff0f"),
    ],
)
def test_numbers_are_written_and_read_as_lib0_does(value: int, encoded: str) -> None:
    assert write_uint(value).hex() == encoded
    assert read_uint(bytes.fromhex("aa" + encoded + "bb"), 1) == (value, 1 + len(encoded) // 2)


@pytest.mark.parametrize(
    "encoded", ["ffffffffffffff10", "ffffffffffffffff0f", "ffffffffffffffffff", "ffffffffffffffffffffff01"]
)
def test_a_number_over_53_bits_is_refused(encoded: str) -> None:
    with pytest.raises(MalformedMessage, match=r"2\^53"):
        read_uint(bytes.fromhex(encoded), 0)


@pytest.mark.parametrize("encoded", ["", "80", "ffffff"])
def test_a_number_that_does_not_end_is_refused(encoded: str) -> None:
    with pytest.raises(MalformedMessage, match="ends within a number"):
        read_uint(bytes.fromhex(encoded), 0)


def test_bytes_longer_than_the_message_are_refused_and_counted() -> None:
    with pytest.raises(MalformedMessage, match="3 bytes too early"):
        read_bytes(b"\x05ab", 0)


def test_a_length_near_the_largest_number_allocates_nothing() -> None:
    with pytest.raises(MalformedMessage, match="too early"):
        read_bytes(write_uint(MAX_UINT) + b"ab", 0)


def test_text_counts_bytes_and_not_characters() -> None:
    assert read_text(write_bytes("né👋".encode()), 0) == ("né👋", 8)


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="UTF-8"):
        read_text(b"\x02\xff\xfe", 0)


@pytest.mark.parametrize(
    ("message", "start"),
    [
        (sync_step1(b"state"), b"\x00\x00\x05"),
        (sync_step2(b"state"), b"\x00\x01\x05"),
        (sync_update(b"state"), b"\x00\x02\x05"),
        (permission_denied("state"), b"\x02\x00\x05"),
        (control("state"), b"\x64\x05"),
    ],
)
def test_a_message_is_its_type_and_one_length_prefixed_payload(message: bytes, start: bytes) -> None:
    assert message == start + b"state"


def test_the_empty_step_2_is_what_makes_a_client_synced() -> None:
    assert sync_step2(b"\0\0") == b"\x00\x01\x02\x00\x00"


# Awareness


def test_awareness_of_a_yjs_client_is_read() -> None:
    awareness = Awareness(Doc(client_id=7))
    awareness.set_local_state({"user": {"name": "Ann"}})
    (entry,) = read_awareness(awareness.encode_awareness_update([7]), 10)
    assert entry.client == 7
    assert entry.state == b'{"user":{"name":"Ann"}}'


def test_awareness_as_written_is_taken_by_a_yjs_client() -> None:
    awareness = Awareness(Doc(client_id=1))
    entry = AwarenessEntry(ClientId(7), 3, b'{"user":{"name":"Ann"}}')
    body, _ = read_bytes(awareness_message([entry.encode()]), 1)
    awareness.apply_awareness_update(body, "test")
    assert awareness.states[7] == {"user": {"name": "Ann"}}


def test_too_many_awareness_entries_are_refused_before_they_are_read() -> None:
    with pytest.raises(MalformedMessage, match="at most 10"):
        read_awareness(write_uint(MAX_UINT), 10)


@pytest.mark.parametrize("cut", range(1, 8))
def test_truncated_awareness_is_refused(cut: int) -> None:
    body = write_uint(1) + AwarenessEntry(ClientId(300), 3, b"{}").encode()
    with pytest.raises(MalformedMessage):
        read_awareness(body[:-cut], 10)


# State vectors and delete sets


def test_the_state_vector_of_a_yjs_document_is_read_and_written() -> None:
    replica = Replica(77)
    replica.create(text="abc")
    state = decode_state_vector(replica.state())
    assert list(state) == [77]
    assert encode_state_vector(state) == replica.state()


def test_a_state_vector_that_claims_more_than_it_holds_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        decode_state_vector(write_uint(MAX_UINT) + b"\x01\x02")


def test_a_delete_set_is_read_as_it_was_written() -> None:
    ranges = [IdRange(ClientId(9), 4, 2), IdRange(ClientId(5), 1, 1), IdRange(ClientId(9), 0, 3)]
    read, end = read_delete_set(delete_set_update(ranges), 1)
    assert read == [IdRange(ClientId(9), 0, 3), IdRange(ClientId(9), 4, 2), IdRange(ClientId(5), 1, 1)]
    assert end == len(delete_set_update(ranges))


def test_a_delete_set_update_deletes_its_ids_wherever_they_stand() -> None:
    replica = Replica(1)
    replica.create(text="")
    first = decode_state_vector(replica.state())[ClientId(1)]
    replica.insert(0, "abcdef")
    replica.insert(3, "XYZ")
    replica.apply(delete_set_update([IdRange(ClientId(1), first + 1, 4)]))
    assert replica.read() == "aXYZf"


# Anchors


@pytest.mark.parametrize(("index", "start"), [(0, True), (3, False)])
def test_an_anchor_names_the_item_that_it_holds_on_to(index: int, start: bool) -> None:
    replica = Replica(11)
    replica.create(text="abc")
    anchor = StickyIndex.new(replica.text(), index, Assoc.BEFORE).encode()
    item = decode_anchor(anchor)
    assert (item.client, item.start) == (11, start)


def test_the_json_form_of_an_anchor_is_the_one_of_yjs() -> None:
    replica = Replica(11)
    replica.create(text="abc")
    position = StickyIndex.new(replica.text(), 2, Assoc.BEFORE)
    expected = {"type": None, "tname": None, **position.to_json()}
    assert anchor_json(position.encode()) == expected


@pytest.mark.parametrize("garbage", [b"", b"\x01\x03abc\x00", b"\x00", b"\x00\xff", b"\x07\x01\x01"])
def test_what_is_no_anchor_is_refused(garbage: bytes) -> None:
    with pytest.raises(MalformedUpdate):
        decode_anchor(garbage)


# Claims


def test_the_head_of_an_update_names_its_only_client() -> None:
    doc: Doc[Any] = Doc(client_id=900)
    doc["t"] = Text("abc")
    assert claims(doc.get_update()) == (900, 0, 1)


def test_updates_of_several_clients_stand_side_by_side_in_one() -> None:
    docs: list[Doc[Any]] = [Doc(client_id=client) for client in (900, 3, 2**32 - 5)]
    for number, doc in enumerate(docs):
        doc.get("text", type=Text).insert(0, f"text {number}")
    updates = [doc.get_update() for doc in docs]
    both = side_by_side(updates)
    assert both is not None
    one: Doc[Any] = Doc()
    other: Doc[Any] = Doc()
    one.apply_update(both)
    for update in updates:
        other.apply_update(update)
    assert str(one.get("text", type=Text)) == str(other.get("text", type=Text))
    assert one.get_update() == other.get_update()


def test_updates_that_delete_or_are_of_the_same_client_need_a_merge() -> None:
    doc: Doc[Any] = Doc(client_id=9)
    text = doc.get("text", type=Text)
    text.insert(0, "ab")
    written, state = doc.get_update(), doc.get_state()
    del text[0:1]
    text.insert(0, "c")
    other: Doc[Any] = Doc(client_id=8)
    other.get("text", type=Text).insert(0, "x")
    assert side_by_side([written, written]) is None
    assert side_by_side([other.get_update(), doc.get_update(state)]) is None
    assert side_by_side([other.get_update(), b"\0\0"]) is None


def test_an_update_of_several_clients_or_of_none_claims_nothing() -> None:
    one: Doc[Any] = Doc(client_id=1)
    two: Doc[Any] = Doc(client_id=2)
    one["t"] = Text("a")
    two.apply_update(one.get_update())
    two["u"] = Text("b")
    assert claims(two.get_update()) is None
    assert claims(b"\0\0") is None


@pytest.mark.parametrize("garbage", [b"", b"\x01", b"\x01\x01\xff", b"\xff" * 20])
def test_what_is_no_update_claims_nothing(garbage: bytes) -> None:
    assert claims(garbage) is None
