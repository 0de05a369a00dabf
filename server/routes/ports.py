"""What the routes need of the rest of the server, as Protocols that ``AppState`` fits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from collab.attribution import Attribution
from collab.document import Applied, Document
from collab.editor import Editor
from collab.ids import Random, RoomId
from collab.origin import Origin
from collab.presence import PresenceView
from generation.embedding import Embedded
from generation.service import GenerationService
from server.dispatch_history import History
from server.dispatch_search import Finder
from server.door.door import Door
from server.door.past import Past
from server.settings import Settings

T = TypeVar("T")


class Host(Protocol):
    """One loaded room."""

    @property
    def room(self) -> RoomId:
        """The room's name."""
        ...

    @property
    def document(self) -> Document:
        """The live document; changed only through ``change``."""
        ...

    @property
    def saving(self) -> bool:
        """False while the store refuses to save."""
        ...

    @property
    def not_saved_reason(self) -> str:
        """Why it refuses, in words; empty while it saves."""
        ...

    def attribution(self) -> Attribution:
        """Who wrote what, up to now. Raises StoreCorrupt."""
        ...

    def flush(self) -> None:
        """Applies what has come in."""
        ...

    def apply(self, update: bytes, origin: Origin) -> Applied:
        """Applies an update to the live document, which is broadcast and stored. Raises LimitExceeded."""
        ...

    def put_record(self, kind: str, key: str, value: bytes | None) -> None:
        """Stores or forgets a record, soon and in order."""
        ...

    async def records(self, kind: str) -> dict[str, bytes]:
        """All records of one kind."""
        ...

    def change(self, change: Callable[[Editor], T], origin: Origin) -> tuple[T, Applied]:
        """Edits the document in one transaction, which is broadcast and stored."""
        ...

    def people(self) -> Sequence[PresenceView]:
        """Who is here."""
        ...

    def connections(self) -> int:
        """How many connections the room has."""
        ...

    async def durable(self) -> None:
        """Returns when all that was applied so far is stored. Raises StoreUnavailable after a timeout."""
        ...


class Embeddings(Protocol):
    """Makes vectors of texts; ``generation.io.meanings.Meanings`` does."""

    @property
    def model(self) -> str:
        """The embedding model's name."""
        ...

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """A vector for each text. Raises ModelError."""
        ...


class RoomRow(Protocol):
    """One row of the list of rooms."""

    @property
    def room(self) -> RoomId:
        """The room's name."""
        ...

    @property
    def stored_bytes(self) -> int:
        """Bytes in the store."""
        ...

    @property
    def last_change_ms(self) -> int:
        """Milliseconds since 1970 (UTC)."""
        ...

    @property
    def connections(self) -> int:
        """How many connections the room has."""
        ...

    @property
    def log_entries(self) -> int:
        """Edits since the last checkpoint."""
        ...

    @property
    def checkpoint_ms(self) -> int:
        """The time of the newest edit in the last checkpoint, in milliseconds since 1970; 0 without one."""
        ...

    @property
    def nodes(self) -> tuple[str, ...]:
        """What the processes that hold the room are called."""
        ...


class Hub(Protocol):
    """The rooms of this process."""

    def held(self, room: RoomId) -> AbstractAsyncContextManager[Host]:
        """Loads the room if it is not, and keeps it loaded meanwhile. Raises StoreError, LimitExceeded."""
        ...

    async def rooms(self) -> Sequence[RoomRow]:
        """All rooms that are stored or open, by name. Raises StoreError."""
        ...

    async def delete(self, room: RoomId) -> None:
        """Forgets the room; its connections are closed. Raises StoreError."""
        ...


class State(Protocol):
    """The objects that the routes work with."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        ...

    @property
    def hub(self) -> Hub:
        """The rooms."""
        ...

    @property
    def generation(self) -> GenerationService:
        """The jobs."""
        ...

    @property
    def history(self) -> History:
        """The versions of the rooms."""
        ...

    @property
    def search(self) -> Finder:
        """Finds files."""
        ...

    @property
    def meanings(self) -> Embeddings | None:
        """Makes vectors of texts; None where no model is set for that."""
        ...

    @property
    def door(self) -> Door:
        """Where writers that worked from an older copy go in."""
        ...

    @property
    def past(self) -> Past:
        """The texts of older versions."""
        ...

    @property
    def version(self) -> str:
        """The server's version."""
        ...

    @property
    def random(self) -> Random:
        """Where the ids of new files come from."""
        ...

    @property
    def stopping(self) -> asyncio.Event:
        """Set when the server begins to shut down: streams end, readiness is over."""
        ...

    def not_ready(self) -> str | None:
        """Why the process cannot serve now (starting, the store refuses, shutting down); None if it can."""
        ...
