"""The connections of one room, and how what happens there is written to them: framed once, slow readers apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

from collab.effects import Close, Control, Durable, Effect, Send, SendPresence, SendState
from collab.ids import ConnectionId
from collab.room import Member, Room
from collab.wire import side_by_side, sync_step2, sync_update
from server.announce import Announcer
from server.messages.events import AnyEvent, Saved
from server.transport import frame

if TYPE_CHECKING:
    from server.connection import Connection, YConnection


class _Waiting(NamedTuple):
    """A frame for all, without the author; an ``event`` only for those that get events.

    ``update`` is the document update that it holds, if that is all of it.
    """

    framed: bytes
    author: Member | None = None
    event: bool = False
    update: bytes = b""


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
        self._waiting: list[_Waiting] = []
        """What ``write_out`` writes, in order, so that a connection is written to once for all of it."""
        self._state_frame: tuple[int, bytes] = (-1, b"")

    def add(self, connection: Connection) -> None:
        """A connection has come."""
        self.write_out()
        member = connection.member
        self.members[member] = connection
        if not connection.native:
            self.flowing[member] = connection.raw_write()
            if member.acknowledged:
                self.controlled[member] = cast("YConnection", connection)

    def remove(self, member: Member) -> None:
        """A connection has gone."""
        self.write_out()
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
            # Something else that was written to it has filled its buffer. What waits was to go to it as well.
            waiting = b"".join([one.framed for one in self._waiting if one.author is not member and not one.event])
            if waiting:
                connection.write(waiting)

    def read_again(self, connection: YConnection) -> None:
        """A connection's reader has drained what waited for it; what it missed goes out at once."""
        if self.slow.pop(connection.member, None) is None:
            return
        self.write_out()
        missed = connection.outbox.resumed()
        self.flowing[connection.member] = connection.raw_write()
        if missed.since is not None:
            connection.write(frame(sync_update(self._room.document.encode(missed.since))))
        if missed.asked is not None:
            self.send_state(connection.member, missed.asked)
        if missed.presence:
            self.send_presence(connection.member, missed=True)

    def broadcast(self, update: bytes, author: Member | None, before: bytes) -> None:
        """A document update to all but its author, with the next ``write_out``.

        ``before`` is the state vector without it.
        """
        framed = frame(sync_update(update))
        if self.flowing:
            self._waiting.append(_Waiting(framed, author, update=update))
        for connection in [*self.slow.values()] if self.slow else ():
            if connection.member is not author and connection.outbox.edit(connection.buffered, before):
                connection.write(framed)

    def broadcast_presence(self, payload: bytes) -> None:
        """Changed presence to all, with the next ``write_out``; slow readers get the newest later."""
        for connection in self.slow.values():
            connection.outbox.presence()
        if self.flowing:
            self._waiting.append(_Waiting(frame(payload)))

    def write_out(self) -> None:
        """Writes what waits."""
        waiting = self._waiting
        if not waiting:
            return
        # Each write costs a call of the system, as dear as all else that is done for an edit.
        self._waiting = []
        if len(waiting) > 1:
            waiting = _together(waiting)
        elif not waiting[0].event:
            framed, author, _, _ = waiting[0]
            for member, write in self.flowing.items():
                if member is not author:
                    write(framed)
            return
        events = any(one.event for one in waiting)
        whole = b"".join([one.framed for one in waiting])
        plain = b"".join([one.framed for one in waiting if not one.event]) if events else whole
        authors = {one.author for one in waiting if one.author is not None}
        # Those that become slow by this very write have got it.
        for member, write in self.flowing.items():
            told = not events or member in self.controlled
            data = whole if told else plain
            if member in authors:
                data = b"".join(
                    [one.framed for one in waiting if one.author is not member and (told or not one.event)]
                )
            if data:
                write(data)

    def carry_out(self, effect: Effect) -> None:
        """An effect that concerns one connection."""
        match effect:
            case Send(member=member, payload=payload):
                self.send(member, payload)
            case SendState(member=member, state=state):
                self.send_state(member, state)
            case SendPresence(member=member):
                self.send_presence(member)
            case Durable(member=member, count=count):
                connection = self.members.get(member)
                if connection is not None:
                    connection.tell(Saved(count=count))
            case Control(member=member, text=text):
                controlled = self.controlled.get(member)
                if controlled is not None:
                    controlled.ask(text)
            case Close(member=member, code=code, reason=reason):
                connection = self.members.get(member)
                if connection is not None:
                    connection.end(code, reason)
            case _:
                raise TypeError(f"an effect that nobody carries out: {effect!r}")

    def send(self, member: Member, payload: bytes) -> None:
        """One message to one connection of the y-websocket dialect."""
        self.write_out()
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
        self.write_out()
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
        """An event to all connections of the y-websocket dialect that get events.

        One that only matters now goes with the next ``write_out``; slow readers do without it.
        """
        if not self.controlled:
            return
        framed = self._announcer.control_frame(message)
        if self._announcer.transient(message):
            self._waiting.append(_Waiting(framed, event=True))
            return
        self.write_out()
        for connection in [*self.controlled.values()]:  # One may be ended by it.
            connection.write_control(framed, transient=False)


def _together(waiting: list[_Waiting]) -> list[_Waiting]:
    """The same, with one frame for all updates that jobs made at once: to a reader each frame is work."""
    places = [place for place, one in enumerate(waiting) if one.update and one.author is None]
    update = side_by_side([waiting[place].update for place in places]) if len(places) > 1 else None
    if update is None:
        return waiting
    # At the place of the last one, so that what they follow upon comes first.
    made = [one for place, one in enumerate(waiting[: places[-1]]) if place not in places]
    return [*made, _Waiting(frame(sync_update(update))), *waiting[places[-1] + 1 :]]
