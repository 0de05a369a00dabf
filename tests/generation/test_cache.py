from __future__ import annotations

import pytest

from collab.errors import MalformedMessage
from collab.ids import RoomId
from generation.cache import CachedAnswer, key_of
from generation.ports import Message

ROOM = RoomId("r")
MODEL = ("http://127.0.0.1/v1", "m", 16_000)
MESSAGES = [Message("system", "Write code."), Message("user", "app.py\nx = 1\n\nAdd a test")]


def test_the_same_request_has_the_same_key() -> None:
    assert key_of(MODEL, MESSAGES, room=ROOM) == key_of(list(MODEL), tuple(MESSAGES), room=ROOM)


@pytest.mark.parametrize(
    "other",
    [
        key_of(("http://127.0.0.1/v1", "m2", 16_000), MESSAGES, room=ROOM),
        key_of(("http://127.0.0.1/v1", "m", 8_000), MESSAGES, room=ROOM),
        key_of(("http://127.0.0.2/v1", "m", 16_000), MESSAGES, room=ROOM),
        key_of(MODEL, MESSAGES, room=RoomId("r2")),
        key_of(MODEL, MESSAGES, room=ROOM, rights="read"),
        key_of(MODEL, MESSAGES[:1], room=ROOM),
        key_of(MODEL, [MESSAGES[0], Message("user", MESSAGES[1].content + " ")], room=ROOM),
        key_of(MODEL, [MESSAGES[0], Message("assistant", MESSAGES[1].content)], room=ROOM),
        key_of(MODEL, [Message("system", "Write"), Message("user", " code." + MESSAGES[1].content)], room=ROOM),
    ],
)
def test_whatever_affects_the_answer_changes_the_key(other: str) -> None:
    assert other != key_of(MODEL, MESSAGES, room=ROOM)


def test_a_request_with_an_unpaired_surrogate_has_a_key() -> None:
    assert key_of(MODEL, [Message("user", "\ud800")], room=ROOM)


@pytest.mark.parametrize("data", [b"", b"{}", b'["a"]', b'["a", "b", "c"]', b'[1, "b", 2]', b"\xff"])
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        CachedAnswer.from_bytes(data)
