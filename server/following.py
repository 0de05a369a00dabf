"""The native clients of one room, and what they are told as events: texts, files, people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collab.effects import Changed
from collab.ids import ClientId
from collab.limits import Limits
from collab.presence import PresenceView
from collab.room import Member, Room
from collab.versions import FileVersions, TextVersioned
from server.announce import Announcer
from server.messages.events import AnyEvent

if TYPE_CHECKING:
    from server.connection import NativeConnection

LOAD_AT_ONCE: Final = 200
"""Files that get versions in one go when the first native client comes."""


class Following:
    """Who follows a room as events instead of updates. ``members`` holds their connections."""

    def __init__(self, room: Room, limits: Limits, announcer: Announcer) -> None:
        self._room = room
        self._limits = limits
        self._announcer = announcer
        self._versions: FileVersions | None = None
        self._seen: dict[ClientId, PresenceView] = {}
        self.members: dict[Member, NativeConnection] = {}
        self.author: Member | None = None
        """Who is answered with the versions that the change being spread made, and is not told of them."""

    @property
    def begun(self) -> bool:
        """Whether there are versions already."""
        return self._versions is not None

    def versions(self) -> FileVersions:
        """Versions of the texts, followed from the first time that somebody asks."""
        if self._versions is None:
            self._versions = FileVersions(self._room.document, self._room.seq, self._limits.operation_history)
        elif not self.members:
            self._versions.catch_up()
        return self._versions

    def add(self, connection: NativeConnection) -> None:
        """A native client has come; its welcome has told it who is here."""
        if not self.members:
            if self._versions is not None:
                self._versions.catch_up()
            self._seen = {view.client: view for view in self._room.presence.views()}
        self.members[connection.member] = connection

    def people(self, clients: tuple[int, ...]) -> None:
        """The presence of these clients has changed."""
        if not self.members:
            return
        for number in clients:
            client = ClientId(number)
            before = self._seen.get(client)
            now = self._room.presence.view(client)
            if now is None:
                self._seen.pop(client, None)
            else:
                self._seen[client] = now
            this = next((m for m, native in self.members.items() if native.caller.client == client), None)
            for message in self._announcer.presence(before, now, self._room.document):
                self.tell(message, this)

    def changed(self, effect: Changed) -> None:
        """The document has changed."""
        if self._versions is None:
            return
        if not self.members:
            self._versions.defer(effect.applied)
            return
        for change in self._versions.follow(effect.applied, effect.by):
            # Its author is answered with the version that it made.
            author = self.author if isinstance(change, TextVersioned) else None
            for message in self._announcer.change(change):
                self.tell(message, author)

    def tell(self, message: AnyEvent, but: Member | None = None) -> None:
        """Tells all native clients, except one."""
        transient = self._announcer.transient(message)
        for member, connection in [*self.members.items()]:  # One may be ended by it.
            if member is not but:
                framed = self._announcer.native_frame(message, packed=connection.packed)
                connection.tell_framed(framed, transient=transient)
