"""The y-websocket dialect of one connection, sans-I/O: frames in, effects out.

Source: y-protocols' PROTOCOL.md, and the code of y-websocket 1 to 4 where that says less (wire.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from collab.effects import Control, Effect, Send, SendPresence, SendState
from collab.errors import MalformedMessage, MalformedUpdate
from collab.limits import Limits
from collab.ports import Clock
from collab.presence import Rival
from collab.room import Member, Room
from collab.wire import (
    MessageType,
    SyncType,
    decode_state_vector,
    read_awareness,
    read_bytes,
    read_text,
    read_uint,
    sync_step1,
)

NOTHING: tuple[Effect, ...] = ()


class YSession:
    """What one y-websocket client and the server say to each other.

    ``turn_due`` is set when the room has work to do; the owner clears it and calls ``Room.turn``.
    ``probe`` collects connections whose presence somebody else has announced as its own.
    """

    __slots__ = ("_clock", "_limits", "_member", "_room", "probe", "turn_due")

    def __init__(self, room: Room, member: Member, limits: Limits, clock: Clock) -> None:
        self._room = room
        self._member = member
        self._limits = limits
        self._clock = clock
        self.turn_due = False
        self.probe: list[Rival] = []

    def opened(self) -> list[Effect]:
        """The connection is there: asks what the client has, shows who is here."""
        return [
            Send(self._member, sync_step1(self._room.document.state_vector())),
            SendPresence(self._member),
        ]

    def receive(self, frame: bytes) -> Sequence[Effect]:
        """Takes one frame. Raises MalformedMessage, after which the connection has to be closed.

        Types that we do not know are ignored, as the reference server ignores them: they are extensions.
        """
        if len(frame) < 2:
            if frame[:1] == b"\x03":
                return (SendPresence(self._member),)
            raise MalformedMessage(f"The frame has {len(frame)} bytes; a message has at least two.")
        kind = frame[0]
        if kind == MessageType.SYNC:
            return self._sync(frame)
        if kind == MessageType.AWARENESS:
            body, _ = read_bytes(frame, 1)
            entries = read_awareness(body, self._limits.presence_clients)
            rivals = self._room.presence.receive(self._member.holder, entries, self._clock.monotonic())
            if rivals:
                self.probe += rivals
            self.turn_due = self.turn_due or self._room.presence.pending
            return NOTHING
        if kind == MessageType.QUERY_AWARENESS:
            return (SendPresence(self._member),)
        if kind == MessageType.CONTROL and self._member.acknowledged:
            text, _ = read_text(frame, 1)
            return (Control(self._member, text),)
        read_uint(frame, 0)
        return NOTHING

    def _sync(self, frame: bytes) -> Sequence[Effect]:
        sub = frame[1]
        length = frame[2] if len(frame) > 2 else 0x80
        if length < 0x80 and len(frame) >= 3 + length:
            body = frame[3 : 3 + length]
        else:
            body, _ = read_bytes(frame, 2)
        if sub == SyncType.UPDATE or sub == SyncType.STEP2:
            if len(body) < 2:
                raise MalformedUpdate("The update is empty; the smallest one has two bytes.")
            if sub == SyncType.STEP2:
                self._member.holder.answered = True
            if self._room.push(self._member, body):
                if not self._member.can_edit:
                    return (self._room.denial(self._member),)
                self.turn_due = True
            return NOTHING
        if sub == SyncType.STEP1:
            # Decoded here once, so that what pycrdt gets is well-formed.
            decode_state_vector(body)
            return (SendState(self._member, body),)
        raise MalformedMessage(f"The sync message has the type {sub}; 0, 1 and 2 are known.", field="type")
