"""The y-websocket dialect: what one connection says, and what is done about it."""

from __future__ import annotations

import pytest

from collab.effects import Control, Send, SendPresence, SendState
from collab.errors import MalformedMessage, MalformedUpdate
from collab.ids import ClientId
from collab.limits import Limits
from collab.session import YSession
from collab.wire import (
    AwarenessEntry,
    awareness_message,
    control,
    sync_step1,
    sync_step2,
    sync_update,
    write_bytes,
    write_uint,
)
from tests.collab.replicas import FILE, Replica, Setup


def session_of(setup: Setup, *, can_edit: bool = True, acknowledged: bool = False) -> YSession:
    member = setup.member(can_edit=can_edit, acknowledged=acknowledged)
    return YSession(setup.room, member, setup.limits, setup.clock)


def test_a_new_connection_is_asked_what_it_has_and_shown_who_is_here() -> None:
    setup = Setup()
    setup.send(setup.member(), Replica(1).create())
    asked, shown = session_of(setup).opened()
    assert isinstance(asked, Send)
    assert asked.payload == sync_step1(setup.room.document.state_vector())
    assert isinstance(shown, SendPresence)


def test_a_step_1_is_answered_with_what_its_state_lacks() -> None:
    session = session_of(Setup())
    (effect,) = session.receive(sync_step1(b"\x00"))
    assert isinstance(effect, SendState)
    assert effect.state == b"\x00"
    assert not session.turn_due


@pytest.mark.parametrize("message", [sync_step2, sync_update])
def test_an_edit_makes_a_turn_due(message: object) -> None:
    assert callable(message)
    setup = Setup()
    session = session_of(setup)
    assert not session.receive(message(Replica(1).create(text="hi")))
    assert session.turn_due
    setup.room.turn()
    assert setup.room.document.text(FILE) == "hi"


def test_a_frame_longer_than_127_bytes_is_read_whole() -> None:
    setup = Setup()
    session_of(setup).receive(sync_update(Replica(1).create(text="long " * 100)))
    setup.room.turn()
    assert setup.room.document.text(FILE) == "long " * 100


def test_bytes_after_the_message_are_ignored_as_the_reference_server_does() -> None:
    setup = Setup()
    session_of(setup).receive(sync_update(Replica(1).create(text="hi")) + b"more")
    setup.room.turn()
    assert setup.room.document.text(FILE) == "hi"


@pytest.mark.parametrize("frame", [b"\x03", b"\x03\x00"])
def test_who_is_here_is_answered(frame: bytes) -> None:
    (effect,) = session_of(Setup()).receive(frame)
    assert isinstance(effect, SendPresence)


@pytest.mark.parametrize("frame", [b"\x02\x00\x00", b"\x04\x01", b"\x63\x00", b"\x80\x01\x05", b"\x64\x02{}"])
def test_types_that_are_not_known_are_ignored(frame: bytes) -> None:
    session = session_of(Setup())
    assert not session.receive(frame)
    assert not session.turn_due


def test_a_control_message_is_taken_from_a_client_that_asked_for_them() -> None:
    (effect,) = session_of(Setup(), acknowledged=True).receive(control('{"type":"people"}'))
    assert isinstance(effect, Control)
    assert effect.text == '{"type":"people"}'


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00",
        b"\x07",
        b"\x00\x00",
        b"\x00\x01",
        b"\x00\x02",
        b"\x00\x03\x00",
        b"\x00\x02\x05ab",
        b"\x00\x02\xff\xff\xff\xff\xff\xff\xff\x0f",
        b"\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x00\x00\x00",
        b"\x00\x00\x02\x02\x01",
        b"\x01\x00",
        b"\x01\x05ab",
        b"\x01\x02\x02\x01",
        b"\x80\x80",
    ],
)
def test_a_frame_that_is_no_message_is_refused(frame: bytes) -> None:
    with pytest.raises(MalformedMessage):
        session_of(Setup()).receive(frame)


@pytest.mark.parametrize("frame", [b"\x00\x02\x00", b"\x00\x01\x01\x00"])
def test_an_update_too_short_to_be_one_is_refused(frame: bytes) -> None:
    with pytest.raises(MalformedUpdate):
        session_of(Setup()).receive(frame)


def test_a_control_message_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="UTF-8"):
        session_of(Setup(), acknowledged=True).receive(b"\x64\x01\xff")


def test_a_read_only_client_is_denied_once_and_still_gets_the_document() -> None:
    setup = Setup()
    session = session_of(setup, can_edit=False)
    (denied,) = session.receive(sync_update(Replica(1).create()))
    assert isinstance(denied, Send)
    assert denied.payload[:2] == b"\x02\x00"
    assert not session.receive(sync_step2(Replica(2).create()))
    assert not session.turn_due
    (answer,) = session.receive(sync_step1(b"\x00"))
    assert isinstance(answer, SendState)


def test_presence_makes_a_turn_due_and_an_echo_does_not() -> None:
    setup = Setup()
    session, other = session_of(setup), session_of(setup)
    frame = awareness_message([AwarenessEntry(ClientId(7), 1, b'{"user":{}}').encode()])
    session.receive(frame)
    assert session.turn_due
    setup.room.turn()
    other.receive(sync_step2(b"\0\0"))
    other.turn_due = False
    other.receive(frame)
    assert not other.turn_due


def test_a_client_id_that_somebody_holds_is_probed() -> None:
    setup = Setup()
    session, heir = session_of(setup), session_of(setup)
    frame = awareness_message([AwarenessEntry(ClientId(7), 1, b'{"user":{}}').encode()])
    session.receive(frame)
    heir.receive(frame)
    assert heir.probe == ["c1"]


def test_more_presence_entries_than_a_room_may_have_are_refused() -> None:
    setup = Setup(Limits(presence_clients=2))
    with pytest.raises(MalformedMessage, match="at most 2"):
        session_of(setup).receive(b"\x01" + write_bytes(write_uint(3)))
