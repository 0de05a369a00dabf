"""A history that keeps what it was asked, and knows one version of one file."""

from __future__ import annotations

from collab.errors import NotFound
from collab.ids import RoomId
from generation.service import Asker
from server.history.questions import Restored
from server.messages import history as messages
from server.messages.parts import RequestId

VERSION = messages.VersionInfo(
    version="v234567",
    number=3,
    at_ms=1_000,
    cause="named",
    name="demo",
    by="Ann",
    files=1,
    changed=1,
    touched=[messages.TouchedFile(path="a.txt", by=["Ann"])],
    stored_bytes=77,
)


class FakeReadings:
    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    async def versions(self, room: RoomId) -> list[messages.VersionInfo]:
        return [VERSION]

    async def files(self, room: RoomId, ref: str) -> tuple[messages.VersionInfo, list[messages.VersionFile]]:
        _check(ref)
        return VERSION, [messages.VersionFile(file="f1", path="a.txt", length=5, since=3)]

    async def text(self, room: RoomId, ref: str, file: str) -> str:
        _check(ref)
        if file != "a b.txt":
            raise NotFound(f"The version {ref} has no file {file!r}; ask for its files.", field="path")
        return "hällo"

    async def comparison(
        self, room: RoomId, base: str, to: str | None, file: str | None, answer_to: RequestId | None = None
    ) -> messages.Comparison:
        _check(base)
        self.asked.append((room, base, to, file))
        return messages.Comparison(id=answer_to, base=base, to=to, files=[])


class FakeReports:
    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    async def report(
        self, room: RoomId, since_ms: int | None, asker: Asker, answer_to: RequestId | None = None
    ) -> messages.ActivityReport:
        self.asked.append((room, since_ms, asker.name))
        return messages.ActivityReport(
            id=answer_to,
            since_ms=since_ms or 5,
            last_seen_ms=5,
            now_ms=9,
            versions=[VERSION],
            jobs=[],
            suggestions=[],
            files=[],
        )


class FakeHistory:
    def __init__(self) -> None:
        self.reading = FakeReadings()
        self.reports = FakeReports()
        self.asked: list[tuple[object, ...]] = []

    async def save(self, room: RoomId, name: str, asker: Asker) -> messages.VersionInfo:
        self.asked.append(("save", room, name, asker.name))
        return VERSION

    def imported(self, room: RoomId, asker: Asker) -> None:
        self.asked.append(("imported", room, asker.name))

    async def restore(self, room: RoomId, version: str, file: str | None, asker: Asker) -> Restored:
        _check(version)
        self.asked.append(("restore", room, version, file, asker.name))
        return Restored(change="c234567", version=VERSION, paths=["a.txt"])


def _check(ref: str) -> None:
    if ref not in {"v234567", "demo"}:
        raise NotFound(f"There is no version {ref!r}; ask for the history.", field="version")
