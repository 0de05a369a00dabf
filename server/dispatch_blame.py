"""Answers who wrote what."""

from __future__ import annotations

from typing import Protocol

from collab.attribution import Attribution
from collab.document import Document
from collab.ids import RoomId
from generation.service import GenerationService
from server.blaming import blame_of
from server.messages.blame import Blame, BlameResult


class Room(Protocol):
    """What the request needs of a room."""

    @property
    def room(self) -> RoomId:
        """The room's name."""
        ...

    @property
    def document(self) -> Document:
        """The live document."""
        ...

    def attribution(self) -> Attribution:
        """Who wrote what, up to now. Raises StoreCorrupt."""
        ...


async def handle(host: Room, generation: GenerationService, request: Blame) -> BlameResult:
    """Carries the request out. Raises NotFound, StoreCorrupt, StoreError."""
    jobs = await generation.jobs(host.room)
    table = host.attribution()
    file = host.document.file(request.file)
    return await blame_of(host.document, file, table, jobs, request.id)
