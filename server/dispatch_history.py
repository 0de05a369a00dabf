"""Answers requests about a room's history."""

from __future__ import annotations

from typing import Protocol, assert_never

from collab.errors import NotFound
from collab.ids import RoomId
from generation.service import Asker
from server.history.questions import Restored
from server.messages import history as messages
from server.messages.events import Reply
from server.messages.parts import RequestId

HistoryRequest = messages.History | messages.SaveVersion | messages.Compare | messages.Restore | messages.Activity


class Readings(Protocol):
    """What is read of a room's history; ``server.history.reading.Reading`` in the process."""

    async def versions(self, room: RoomId) -> list[messages.VersionInfo]:
        """The versions, newest first."""
        ...

    async def files(self, room: RoomId, ref: str) -> tuple[messages.VersionInfo, list[messages.VersionFile]]:
        """A version, by its id or name, and its files by path."""
        ...

    async def text(self, room: RoomId, ref: str, file: str) -> str:
        """The text that a file of a version had."""
        ...

    async def comparison(
        self, room: RoomId, base: str, to: str | None, file: str | None, answer_to: RequestId | None = None
    ) -> messages.Comparison:
        """What differs between two versions, or with ``to`` None between a version and now."""
        ...


class Reports(Protocol):
    """Reports of activity; ``server.history.activity.Reports`` in the process."""

    async def report(
        self, room: RoomId, since_ms: int | None, asker: Asker, answer_to: RequestId | None = None
    ) -> messages.ActivityReport:
        """What happened since a moment, or since the asker left."""
        ...


class History(Protocol):
    """The history of all rooms; ``server.history.service.History`` in the process."""

    @property
    def reading(self) -> Readings:
        """What is read of it."""
        ...

    @property
    def reports(self) -> Reports:
        """Reports of activity."""
        ...

    async def save(self, room: RoomId, name: str, asker: Asker) -> messages.VersionInfo:
        """Keeps the room as it is now under a name."""
        ...

    def imported(self, room: RoomId, asker: Asker) -> None:
        """Files were imported into the room: it gets a version, soon."""
        ...

    async def restore(self, room: RoomId, version: str, file: str | None, asker: Asker) -> Restored:
        """Brings a file, or with None the whole room, back to a version."""
        ...


async def handle(history: History | None, room: RoomId, asker: Asker, request: HistoryRequest) -> Reply:
    """Carries a request out. Raises errors of ``collab.errors``."""
    if history is None:
        raise NotFound("This server keeps no history.")
    match request:
        case messages.History():
            return messages.VersionList(id=request.id, versions=await history.reading.versions(room))
        case messages.SaveVersion():
            return messages.VersionSaved(id=request.id, version=await history.save(room, request.name, asker))
        case messages.Compare():
            return await history.reading.comparison(room, request.base, request.to, request.file, request.id)
        case messages.Restore():
            done = await history.restore(room, request.version, request.file, asker)
            return restored(done, request.id)
        case messages.Activity():
            return await history.reports.report(room, request.since_ms, asker, request.id)
        case _:
            assert_never(request)


def restored(done: Restored, answer_to: RequestId | None = None) -> messages.Restored:
    """What was restored, as a message."""
    return messages.Restored(
        id=answer_to, version=done.version.version, change=done.change, paths=list(done.paths)
    )
