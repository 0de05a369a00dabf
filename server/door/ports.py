"""What the door of changesets needs of the rest of the server, as Protocols."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from collab.document import Applied, Document
from collab.ids import RoomId
from collab.merge.changeset import Merger
from collab.origin import Origin

__all__ = ["Host", "Merger", "Rooms"]


class Host(Protocol):
    """One loaded room; ``server.host.RoomHost`` in the process."""

    @property
    def room(self) -> RoomId:
        """The room's name."""
        ...

    @property
    def document(self) -> Document:
        """The live document; changed only through ``apply``."""
        ...

    def flush(self) -> None:
        """Applies what has come in."""
        ...

    def apply(self, update: bytes, origin: Origin) -> Applied:
        """Applies an update to the live document, which is broadcast and stored. Raises LimitExceeded."""
        ...

    async def durable(self) -> None:
        """Returns when all that was done so far is stored. Raises StoreUnavailable."""
        ...

    def put_record(self, kind: str, key: str, value: bytes | None) -> None:
        """Stores or forgets a record, soon and in order."""
        ...

    async def records(self, kind: str) -> dict[str, bytes]:
        """All records of one kind."""
        ...


class Rooms(Protocol):
    """The rooms of this process; ``server.hub.Hub``."""

    def held(self, room: RoomId) -> AbstractAsyncContextManager[Host]:
        """Loads the room if it is not, and keeps it loaded meanwhile. Raises StoreError, TryLater."""
        ...
