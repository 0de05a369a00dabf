"""The connections of one room, and how what happens there is written to them: framed once, slow readers apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from collab.ids import ConnectionId
from collab.room import Member, Room
from collab.wire import sync_step2, sync_update
from server.announce import Announcer
from server.messages.events import AnyEvent
from server.transport import frame

if TYPE_CHECKING:
    from server.connection import Connection, YConnection


class Audience:
    """Connections by what they read: all, those that flow, those that have fallen behind, those with events.

    Nothing here awaits. A write may end a connection, which then leaves in the middle of it.
    """

    def __init__(self, room: Room, announcer: Announcer) -> None:
        self._room = room
        self._announcer = announcer
        self.members: dict[Member, Connection] = {}
        self.flowing: dict[Member, Callable[[bytes], None]] = {}
        """Connections of the y-websocket dialect that read what they get, with their transport's own write."""
        self.slow: dict[Member, YConnection] = {}
        self.controlled: dict[Member, YConnection] = {}
        """Those of the y-websocket dialect that get events too."""
        self._state_frame: tuple[int, bytes] = (-1, b"")

    def add(self, connection: Connection) -> None:
        """A connection has come."""
        member = connection.member
        self.members[member] = connection
        if not connection.native:
            self.flowing[member] = connection.raw_write()
            if member.acknowledged:
                self.controlled[member] = cast("YConnection", connection)

    def remove(self, member: Member) -> None:
        """A connection has gone."""
        for group in (self.members, self.flowing, self.slow, self.controlled):
            group.pop(member, None)

    def member_of(self, connection: ConnectionId) -> Member | None:
        """The member of a connection; None if it is not here."""
        return next((m for m in self.members if m.holder.connection == connection), None)

    def fall_behind(self, connection: YConnection) -> None:
        """A connection's reader does not keep up."""
        if connection.member in self.flowing:
            # A transport says so in the middle of a write, while the table is walked through: a new one.
            member = connection.member
            self.flowing = {other: write for other, write in self.flowing.items() if other is not member}
            self.slow[member] = connection

    def read_again(self, connection: YConnection) -> None:
        """A connection's reader has drained what waited for it; what it missed goes out at once."""
        if self.slow.pop(connection.member, None) is None:
            return
        missed = connection.outbox.resumed()
        self.flowing[connection.member] = connection.raw_write()
        if missed.since is not None:
            connection.write(frame(sync_update(self._room.document.encode(missed.since))))
        if missed.asked is not None:
            self.send_state(connection.member, missed.asked)
        if missed.presence:
            self.send_presence(connection.member, missed=True)

    def broadcast(self, payload: bytes, author: Member | None, before: bytes) -> None:
        """A document update to all but its author. ``before`` is the state vector without it."""
        framed = frame(payload)
        # Those that become slow by this very message have got it.
        slow = [*self.slow.values()] if self.slow else ()
        for member, write in self.flowing.items():
            if member is not author:
                write(framed)
        for connection in slow:
            if connection.member is not author and connection.outbox.edit(connection.buffered, before):
                connection.write(framed)

    def broadcast_presence(self, payload: bytes) -> None:
        """Changed presence to all; slow readers get the newest later."""
        framed = frame(payload)
        for connection in self.slow.values():
            connection.outbox.presence()
        for write in self.flowing.values():
            write(framed)

    def send(self, member: Member, payload: bytes) -> None:
        """One message to one connection of the y-websocket dialect."""
        connection = self.members.get(member)
        if connection is None or connection.native:
            return
        slow = self.slow.get(member)
        if slow is not None and slow.outbox.overflows(slow.buffered):
            slow.end(1013, "This connection reads too slowly; reconnect.")
            return
        connection.write(frame(payload))

    def send_presence(self, member: Member, *, missed: bool = False) -> None:
        """All presence states, to one who has missed changes with those that went."""
        slow = self.slow.get(member)
        snapshot = self._room.presence.snapshot(missed=missed)
        if snapshot is not None and (slow is None or slow.outbox.presence()):
            self.send(member, snapshot)

    def send_state(self, member: Member, state: bytes) -> None:
        """What a state vector lacks of the document."""
        connection = self.members.get(member)
        if connection is None:
            return
        slow = self.slow.get(member)
        if slow is not None and not slow.outbox.answer(slow.buffered, state):
            return
        document = self._room.document
        if len(state) > 1:
            connection.write(frame(sync_step2(document.encode(state))))
            return
        # All who join on one version share one encoding and one frame.
        if self._state_frame[0] != document.version:
            self._state_frame = (document.version, frame(sync_step2(document.encode())))
        connection.write(self._state_frame[1])

    def tell(self, message: AnyEvent) -> None:
        """An event to all connections of the y-websocket dialect that get events."""
        if not self.controlled:
            return
        framed = self._announcer.control_frame(message)
        transient = self._announcer.transient(message)
        for connection in [*self.controlled.values()]:  # One may be ended by it.
            connection.write_control(framed, transient=transient)
