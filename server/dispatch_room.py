"""What requests need of a room, and how a native person is shown in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from collab.document import Applied as Transaction
from collab.document import Document
from collab.editor import Editor
from collab.ids import ClientId, ConnectionId, PersonId, RoomId
from collab.ledger import Ledger
from collab.origin import Origin, PersonOrigin
from collab.presence import PresenceView
from collab.versions import FileVersions
from server import dispatch_blame, dispatch_search
from server.caller import Caller

T = TypeVar("T")


class Room(dispatch_blame.Room, dispatch_search.Room, Protocol):
    """What requests need of a room; ``server.host.RoomHost`` in the process."""

    @property
    def room(self) -> RoomId:
        """The room's name."""
        ...

    @property
    def document(self) -> Document:
        """The live document; changed only through ``change`` and ``receive``."""
        ...

    @property
    def versions(self) -> FileVersions:
        """The versions of its texts."""
        ...

    @property
    def saving(self) -> bool:
        """False while the store refuses to save."""
        ...

    def people(self) -> Sequence[PresenceView]:
        """Everybody who is here."""
        ...

    def change(self, change: Callable[[Editor], T], origin: Origin) -> tuple[T, Transaction]:
        """Edits the document in one transaction, after all that has come in before it."""
        ...

    def receive(self, connection: ConnectionId, update: bytes) -> bool:
        """Takes an update of a connection; False if it waits for a missing one. Raises MalformedUpdate."""
        ...

    def rename(self, connection: ConnectionId, name: str) -> None:
        """Edits of this connection are shown under another name from now on."""
        ...

    async def undo_own(self, person: PersonId, jobs: Callable[[], list[Ledger]], *, redo: bool) -> None:
        """Undoes or redoes a person's own last change; ``jobs`` are the ledgers of the room's jobs.

        Raises Conflict, StoreError.
        """
        ...

    def set_presence(self, client: ClientId, state: Mapping[str, object] | None) -> None:
        """Shows (or with None hides) somebody for whom the server speaks."""
        ...


def presence_state(caller: Caller, file: str | None = None, cursor: object = None) -> Mapping[str, object]:
    """The awareness state of a native person, as browsers show it."""
    user = {"name": caller.name, "color": caller.color, "colorLight": f"{caller.color}33", "kind": "person"}
    return {"user": user, "file": file, "cursor": cursor}


def show(host: Room, caller: Caller) -> None:
    """Shows a native person under their present name, with the cursor that they have."""
    seen = next((view for view in host.people() if view.client == caller.client), None)
    state = presence_state(caller, seen.file, seen.cursor) if seen is not None else presence_state(caller)
    host.set_presence(caller.client, state)


def origin_of(caller: Caller) -> PersonOrigin:
    """Whose edit a request is."""
    return PersonOrigin(caller.person, caller.connection)
