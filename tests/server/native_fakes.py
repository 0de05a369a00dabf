"""A room host and an engine for tests of requests: a real document and real versions, nothing else."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from collab.attribution import Attribution
from collab.authorship import Authorship
from collab.document import Applied, Document
from collab.editor import Editor
from collab.errors import NotFound
from collab.ids import ClientId, ConnectionId, FileId, PersonId, RoomId
from collab.io.clock import SystemClock
from collab.ledger import Ledger
from collab.limits import Limits
from collab.origin import Origin, PersonOrigin
from collab.ports import LogEntry
from collab.presence import PresenceView
from collab.versions import FileChange, FileVersions
from generation.events import GenerationEvent
from generation.io.indexing import Indexes
from generation.io.searching import Searching
from generation.service import (
    AnsweredAll,
    Asker,
    Choice,
    GenerationRequest,
    JobView,
    ModelView,
    NewChange,
    SuggestionView,
)
from generation.views import Priority
from server.caller import Caller
from server.dispatch import Dispatch
from server.messages.requests import AnyRequest
from tests.server.history_fakes import FakeHistory

T = TypeVar("T")
AT_MS = 1_700_000_000_000


class FakeHost:
    """One room. ``before_change`` runs at the start of every change, as edits that have just come in would."""

    def __init__(self) -> None:
        self.document = Document(ClientId(1))
        self.versions = FileVersions(self.document, 10, 100)
        self.changes: list[FileChange] = []
        self.authorship = Authorship()
        self.origins: list[Origin] = []
        self.presence: dict[ClientId, Mapping[str, Any]] = {}
        self.names: dict[ConnectionId, str] = {}
        self.before_change: Callable[[], None] = lambda: None
        self.stored: dict[str, dict[str, bytes]] = {}
        self.undone: list[tuple[PersonId, bool]] = []

    room = RoomId("demo")
    saving = True

    def people(self) -> list[PresenceView]:
        return [
            PresenceView(client, s["user"]["name"], s["user"]["color"], s["user"]["kind"], s["file"], s["cursor"])
            for client, s in self.presence.items()
        ]

    def change(self, change: Callable[[Editor], T], origin: Origin) -> tuple[T, Applied]:
        self.before_change()
        result, applied = self.document.edit(change)
        self._follow(applied, origin)
        return result, applied

    def receive(self, connection: ConnectionId, update: bytes) -> bool:
        self.document.lacks(update)
        self._follow(self.document.apply([update]), PersonOrigin(PersonId("ann"), connection))
        return self.document.lacks(update)[:1] == b"\0"

    def rename(self, connection: ConnectionId, name: str) -> None:
        self.names[connection] = name

    def attribution(self) -> Attribution:
        return self.authorship.table()

    def _follow(self, applied: Applied, origin: Origin) -> None:
        if applied.update is not None:
            self.authorship.add(LogEntry(0, AT_MS, origin, applied.update))
        self.origins.append(origin)
        self.changes += self.versions.follow(applied, "Ann")

    async def records(self, kind: str) -> dict[str, bytes]:
        return dict(self.stored.get(kind, {}))

    async def undo_own(self, person: PersonId, jobs: Callable[[], list[Ledger]], *, redo: bool) -> None:
        self.undone.append((person, redo))

    def set_presence(self, client: ClientId, state: Mapping[str, object] | None) -> None:
        if state is None:
            self.presence.pop(client, None)
        else:
            self.presence[client] = state

    def create(self, path: str, text: str = "") -> FileId:
        file = FileId(path.replace("/", "_").replace(".", "_"))
        _, applied = self.document.edit(lambda editor: editor.create(file, path, text))
        self.versions.follow(applied, "")
        return file


def job_view(**changed: Any) -> JobView:
    values: dict[str, Any] = {
        "job": "j234567",
        "kind": "job",
        "prompt": "do it",
        "asked_by": "Ann",
        "state": "queued",
        "model": "tiny",
        "offline": False,
        "mode": "auto",
        "strategy": None,
        "client": 77,
        "color": "#4338ca",
        "created_ms": 1,
        "files": ("a.txt",),
        "progress": 0.0,
        "eta_seconds": None,
        "tokens": 0,
        "hunks_applied": 0,
        "hunks_pending": 0,
        "undone": False,
        "can_undo": False,
        "error": None,
    }
    return JobView(**(values | changed))


def suggestion_view(**changed: Any) -> SuggestionView:
    values: dict[str, Any] = {
        "suggestion": "s234567",
        "job": "j234567",
        "file": None,
        "path": "new.py",
        "reason": "The file does not exist yet.",
        "kind": "new_file",
        "before": "",
        "current": "",
        "after": "x = 1\n",
        "anchor": None,
        "end": None,
        "state": "open",
        "answered_by": None,
        "conflict": "none",
        "layer": "",
        "choices": ("accept", "reject"),
        "at_ms": 1,
        "answered_ms": 0,
    }
    return SuggestionView(**(values | changed))


class FakeGeneration:
    """An engine that keeps what it was asked, and knows one job and one suggestion."""

    model_name: str | None = "tiny"
    models = (ModelView("tiny", 8_000, ("code",)), ModelView("large", 128_000, ("code", "reasoning")))

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.fails: Exception | None = None

    async def run(self) -> None:
        raise NotImplementedError

    async def drain(self) -> None:
        raise NotImplementedError

    async def submit(self, room: RoomId, request: GenerationRequest, asker: Asker) -> JobView:
        self._note("submit", room, request, asker)
        return job_view(prompt=request.prompt, asked_by=asker.name)

    async def cancel(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._job("cancel", room, job, asker)

    async def retry(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._job("retry", room, job, asker)

    async def pause(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._job("pause", room, job, asker)

    async def resume(self, room: RoomId, job: str, asker: Asker) -> JobView:
        self._note("resume", room, job, asker)
        return job_view(job=job, position=2, priority="low")

    async def steer(self, room: RoomId, job: str, sentence: str, asker: Asker) -> JobView:
        return self._job(f"steer {sentence}", room, job, asker)

    async def move(self, room: RoomId, job: str, position: int, asker: Asker) -> JobView:
        self._note("move", room, job, position, asker)
        return job_view(job=job, position=position)

    async def prioritise(self, room: RoomId, job: str, priority: Priority, asker: Asker) -> JobView:
        self._note("prioritise", room, job, priority, asker)
        return job_view(job=job, state="paused", priority=priority)

    async def undo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._job("undo", room, job, asker)

    async def redo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._job("redo", room, job, asker)

    async def jobs(self, room: RoomId) -> list[JobView]:
        return [job_view()]

    async def suggestions(self, room: RoomId, *, all_of_them: bool = False) -> list[SuggestionView]:
        return [suggestion_view(), suggestion_view(suggestion="s2", state="merged")][: 1 + all_of_them]

    async def answer(
        self, room: RoomId, suggestion: str, choice: Choice, asker: Asker, text: str = ""
    ) -> SuggestionView:
        self._note("answer", room, suggestion, choice, asker, *[text][: bool(text)])
        return suggestion_view(state={"accept": "accepted", "reject": "rejected"}.get(choice, "both"))

    async def answer_all(
        self, room: RoomId, job: str, path: str | None, choice: Choice, asker: Asker
    ) -> AnsweredAll:
        return AnsweredAll(2, (), self._job(f"{choice} all of {path}", room, job, asker))

    def ledgers(self, room: RoomId) -> list[Ledger]:
        return []

    async def record(self, room: RoomId, change: NewChange, asker: Asker) -> JobView:
        self._note("record", room, change, asker)
        return job_view(job=change.change, kind=change.kind)

    def forget(self, room: RoomId) -> None:
        raise NotImplementedError

    def watch(self, job: str) -> AbstractAsyncContextManager[AsyncIterator[GenerationEvent]]:
        raise NotImplementedError

    def _job(self, what: str, room: RoomId, job: str, asker: Asker) -> JobView:
        self._note(what, room, job, asker)
        if job != "j234567":
            raise NotFound(f"There is no job {job!r}; jobs lists them.", field="job")
        return job_view()

    def _note(self, *asked: object) -> None:
        if self.fails is not None:
            raise self.fails
        self.asked.append(asked)


class Asking:
    """Somebody who asks a room."""

    def __init__(self, *, native: bool = True, limits: Limits | None = None) -> None:
        self.host = FakeHost()
        self.generation = FakeGeneration()
        self.history = FakeHistory()
        chance = random.Random(7)
        finder = Searching(Indexes(SystemClock()))
        self.dispatch = Dispatch(self.generation, limits or Limits(), chance, "1.2.3", self.history, finder)
        self.caller = Caller(ConnectionId("c1"), PersonId("ann"), "Ann", "#0f766e", ClientId(42), native=native)

    async def ask(self, request: AnyRequest) -> Any:
        return await self.dispatch.handle(self.host, self.caller, request)
