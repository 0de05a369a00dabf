"""A room in which a job can be played through without anybody noticing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from collab.document import Applied, Document
from collab.editor import Editor
from collab.ids import ClientId, RoomId
from collab.ledger import Ledger
from collab.origin import Origin
from collab.ports import LogEntry
from generation.context.people import Participant
from generation.events import GenerationEvent
from generation.ports import RoomHandle

T = TypeVar("T")


class Rehearsal:
    """Implements generation.ports.RoomHandle over a room: what is read is the room's, what is told is dropped.

    To change the document is an error: whoever rehearses only suggests.
    """

    def __init__(self, handle: RoomHandle) -> None:
        self._handle = handle

    @property
    def room(self) -> RoomId:
        """See RoomHandle.room."""
        return self._handle.room

    @property
    def document(self) -> Document:
        """See RoomHandle.document."""
        return self._handle.document

    def change(self, change: Callable[[Editor], T], origin: Origin) -> tuple[T, Applied]:
        """Raises RuntimeError."""
        raise RuntimeError("A rehearsal changes nothing.")

    def apply(self, update: bytes, origin: Origin) -> Applied:
        """Raises RuntimeError."""
        raise RuntimeError("A rehearsal changes nothing.")

    def announce(self, event: GenerationEvent) -> None:
        """Nobody is told."""

    def set_presence(self, client: ClientId, state: Mapping[str, object] | None) -> None:
        """Nobody is shown anything."""

    def participants(self) -> Sequence[Participant]:
        """See RoomHandle.participants."""
        return self._handle.participants()

    def put_record(self, kind: str, key: str, value: bytes | None) -> None:
        """Nothing is stored."""

    def settle(self) -> None:
        """See RoomHandle.settle."""
        self._handle.settle()

    def may_generate(self) -> bool:
        """Always: nothing is done that another node could do too."""
        return True

    def watch_log(self, watch: Callable[[LogEntry], None]) -> None:
        """Nothing is watched."""

    async def beside(self) -> list[Ledger]:
        """See RoomHandle.beside."""
        return await self._handle.beside()

    async def caught_up(self) -> None:
        """See RoomHandle.caught_up."""
        await self._handle.caught_up()

    async def durable(self) -> None:
        """At once: nothing is stored."""

    async def records(self, kind: str) -> dict[str, bytes]:
        """See RoomHandle.records."""
        return await self._handle.records(kind)
