"""The codec: what is written is read, and random bytes raise MalformedMessage and nothing else."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from collab.document import Document
from collab.errors import MalformedMessage
from collab.ids import ClientId
from collab.limits import Limits
from collab.session import YSession
from collab.wire import (
    MAX_UINT,
    AwarenessEntry,
    IdRange,
    awareness_message,
    claims,
    decode_anchor,
    decode_state_vector,
    delete_set_update,
    encode_state_vector,
    read_awareness,
    read_bytes,
    read_delete_set,
    read_text,
    read_uint,
    write_bytes,
    write_uint,
)
from tests.collab.replicas import FILE, Setup

UINT = st.integers(0, MAX_UINT)
CLIENT = st.builds(ClientId, UINT)


@given(UINT, st.binary(max_size=5), st.binary(max_size=5))
def test_a_number_is_read_as_it_was_written(value: int, before: bytes, after: bytes) -> None:
    encoded = write_uint(value)
    assert read_uint(before + encoded + after, len(before)) == (value, len(before) + len(encoded))


@given(st.binary(max_size=12))
@example(b"\xff" * 9)
@example(b"\x80" * 7 + b"\x10")
def test_any_bytes_are_a_number_or_malformed(data: bytes) -> None:
    try:
        value, end = read_uint(data, 0)
    except MalformedMessage:
        return
    assert 0 <= value <= MAX_UINT
    assert 1 <= end <= min(len(data), 9)
    # What lib0 computes, for what it accepts.
    assert value == sum((byte & 0x7F) << 7 * index for index, byte in enumerate(data[:end]))


@given(st.binary())
def test_bytes_are_read_as_they_were_written(data: bytes) -> None:
    assert read_bytes(write_bytes(data), 0) == (data, len(write_bytes(data)))


@given(st.text())
def test_text_is_read_as_it_was_written(text: str) -> None:
    assert read_text(write_bytes(text.encode()), 0)[0] == text


@given(st.dictionaries(CLIENT, UINT))
def test_a_state_vector_is_read_as_it_was_written(state: dict[ClientId, int]) -> None:
    assert decode_state_vector(encode_state_vector(state)) == state


@given(st.lists(st.builds(AwarenessEntry, CLIENT, UINT, st.binary(max_size=50)), max_size=20))
def test_awareness_is_read_as_it_was_written(entries: list[AwarenessEntry]) -> None:
    message = awareness_message([entry.encode() for entry in entries])
    body, end = read_bytes(message, 1)
    assert end == len(message)
    assert read_awareness(body, 20) == entries


@given(
    st.lists(st.builds(IdRange, CLIENT, st.integers(0, 2**32), st.integers(1, 2**32)), max_size=20, unique=True)
)
def test_a_delete_set_is_read_as_it_was_written(ranges: list[IdRange]) -> None:
    update = delete_set_update(ranges)
    read, end = read_delete_set(update, 1)
    assert end == len(update)
    assert sorted(read, key=str) == sorted(ranges, key=str)


@given(st.binary(max_size=200))
def test_random_bytes_make_every_reader_raise_malformed_or_nothing(data: bytes) -> None:
    readers = (
        lambda: read_bytes(data, 0),
        lambda: read_text(data, 0),
        lambda: read_awareness(data, 100),
        lambda: decode_state_vector(data),
        lambda: read_delete_set(data, 0),
        lambda: decode_anchor(data),
        lambda: claims(data),
    )
    for read in readers:
        try:
            read()
        except MalformedMessage as error:
            assert error.message  # noqa: PT017 - which of them raises is not the point


@given(st.binary(max_size=200))
def test_random_bytes_are_a_state_vector_a_document_answers_or_malformed(data: bytes) -> None:
    document = Document(ClientId(1))
    document.edit(lambda editor: editor.create(FILE, "a.txt", "é👋"))
    calls = (
        lambda: document.encode(data),
        lambda: document.lacks(data),
        lambda: document.resolve(FILE, data),
        lambda: document.apply([data]),
    )
    for call in calls:
        try:
            call()
        except MalformedMessage as error:
            assert error.message  # noqa: PT017 - which of them raises is not the point
    assert document.text(FILE) == "é👋"


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda data: b"\0" + data)), max_size=10)
)
def test_random_frames_raise_malformed_or_nothing(frames: list[bytes]) -> None:
    setup = Setup(Limits(presence_clients=50))
    session = YSession(setup.room, setup.member(acknowledged=True), setup.limits, setup.clock)
    for frame in frames:
        try:
            session.receive(frame)
        except MalformedMessage as error:
            assert error.close in {1007, 1008}  # noqa: PT017 - which of them raises is not the point
        setup.room.turn()
