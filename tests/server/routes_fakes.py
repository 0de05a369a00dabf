"""A server's state in memory, for the tests of the routes: real documents, no sockets, no store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import httpx
from starlette.applications import Starlette

from collab.attribution import Attribution
from collab.authorship import Authorship
from collab.document import Applied, Document
from collab.editor import Editor
from collab.errors import Conflict, LimitExceeded, NotFound, StoreUnavailable
from collab.ids import ClientId, FileId, RoomId
from collab.io.clock import SystemClock
from collab.ledger import Ledger
from collab.merge.resolver import TextResolver
from collab.origin import Origin
from collab.ports import LogEntry
from collab.presence import PresenceView
from generation.events import GenerationEvent
from generation.io.indexing import Indexes
from generation.io.meanings import Meanings
from generation.io.searching import Searching
from generation.views import (
    AnsweredAll,
    Asker,
    Choice,
    GenerationRequest,
    JobView,
    ModelView,
    NewChange,
    Priority,
    SuggestionView,
)
from server.door.door import Door
from server.door.past import Past
from server.door.texts import Texts
from server.routes import routes
from server.settings import Settings
from tests.server.history_fakes import FakeHistory

T = TypeVar("T")
AT_MS = 1_700_000_000_000
ROOT = "http://127.0.0.1:8000"

JOB = JobView(
    job="j1",
    kind="job",
    prompt="Add a test",
    asked_by="api",
    state="queued",
    model="m",
    offline=False,
    mode="auto",
    strategy=None,
    client=7,
    color="#112233",
    created_ms=1,
    files=(),
    progress=0.0,
    eta_seconds=None,
    tokens=0,
    hunks_applied=0,
    hunks_pending=0,
    undone=False,
    can_undo=False,
    error=None,
)
SUGGESTION = SuggestionView(
    suggestion="s1",
    job="j1",
    file="f1",
    path="a.py",
    reason="touched meanwhile",
    kind="hunk",
    before="a",
    current="b",
    after="c",
    anchor=None,
    end=None,
    state="open",
    answered_by=None,
    conflict="none",
    layer="",
    choices=("accept", "reject"),
    at_ms=1,
    answered_ms=0,
)


@dataclass
class FakeHost:
    """A room's host. ``incoming`` runs once before the next change, as edits that were still waiting."""

    room: RoomId
    document: Document = field(default_factory=lambda: Document(ClientId(1)))
    saving: bool = True
    not_saved_reason: str = ""
    origins: list[Origin] = field(default_factory=list)
    stored_version: int = 0
    incoming: Callable[[Editor], None] | None = None
    refuses: bool = False
    stored: dict[str, dict[str, bytes]] = field(default_factory=dict)
    authorship: Authorship = field(default_factory=Authorship)

    def flush(self) -> None:
        if self.incoming is not None:
            incoming, self.incoming = self.incoming, None
            self.document.edit(incoming)

    def apply(self, update: bytes, origin: Origin) -> Applied:
        self.flush()
        self.origins.append(origin)
        applied = self.document.apply([update], track=True)
        if applied.update is not None:
            self.authorship.add(LogEntry(0, AT_MS, origin, applied.update))
        return applied

    def put_record(self, kind: str, key: str, value: bytes | None) -> None:
        records = self.stored.setdefault(kind, {})
        if value is None:
            records.pop(key, None)
        else:
            records[key] = value

    async def records(self, kind: str) -> dict[str, bytes]:
        return dict(self.stored.get(kind, {}))

    def change(self, change: Callable[[Editor], T], origin: Origin) -> tuple[T, Applied]:
        self.flush()
        self.origins.append(origin)
        result, applied = self.document.edit(change)
        if applied.update is not None:
            self.authorship.add(LogEntry(0, AT_MS, origin, applied.update))
        return result, applied

    def attribution(self) -> Attribution:
        return self.authorship.table()

    def people(self) -> list[PresenceView]:
        return [PresenceView(ClientId(9), "Kim", "#445566", "person", None, None)]

    def connections(self) -> int:
        return 0

    async def durable(self) -> None:
        if self.refuses:
            raise StoreUnavailable("The disk is full.")
        self.stored_version = self.document.version

    def put(self, path: str, text: str) -> FileId:
        file = FileId(f"f_{len(self.document.listing().files)}")
        self.document.edit(lambda editor: editor.create(file, path, text))
        return file

    def text(self, path: str) -> str:
        found = self.document.listing().by_path(path)
        assert found is not None, f"{path} is not there"
        return self.document.text(found.id)

    def paths(self) -> list[str]:
        return sorted(file.shown for file in self.document.listing().files.values())


@dataclass(frozen=True)
class FakeRow:
    room: RoomId
    stored_bytes: int = 10
    last_change_ms: int = 1
    connections: int = 0
    log_entries: int = 3
    checkpoint_ms: int = 2
    nodes: tuple[str, ...] = ("node-1",)


@dataclass
class FakeHub:
    hosts: dict[RoomId, FakeHost] = field(default_factory=dict)

    def host(self, room: str = "main") -> FakeHost:
        return self.hosts.setdefault(RoomId(room), FakeHost(RoomId(room)))

    @asynccontextmanager
    async def held(self, room: RoomId) -> AsyncIterator[FakeHost]:
        yield self.host(room)

    async def rooms(self) -> list[FakeRow]:
        return [FakeRow(room) for room in sorted(self.hosts)]

    async def delete(self, room: RoomId) -> None:
        self.hosts.pop(room, None)


@dataclass
class FakeGeneration:
    """Answers with one job; ``happening`` is what its watchers see."""

    model_name: str | None = None
    models: tuple[ModelView, ...] = ()
    happening: asyncio.Queue[GenerationEvent] = field(default_factory=asyncio.Queue)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    requests: list[GenerationRequest] = field(default_factory=list)
    job: JobView = JOB
    watched: asyncio.Event = field(default_factory=asyncio.Event)
    acted: asyncio.Event = field(default_factory=asyncio.Event)
    ends: bool = False

    def forget(self, room: RoomId) -> None:
        self.calls.append(("forget", room))

    async def drain(self) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        raise AssertionError("the routes never run the engine")

    async def submit(self, room: RoomId, request: GenerationRequest, asker: Asker) -> JobView:
        if len(request.prompt) > 100:
            raise LimitExceeded("The prompt is too long; shorten it.", field="prompt")
        self.requests.append(request)
        self.calls.append(("submit", room, asker.name))
        return self.job

    async def cancel(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._act("cancel", room, job, asker)

    async def retry(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._act("retry", room, job, asker)

    async def pause(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._act("pause", room, job, asker)

    async def resume(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._act("resume", room, job, asker)

    async def steer(self, room: RoomId, job: str, sentence: str, asker: Asker) -> JobView:
        return self._act(f"steer {sentence}", room, job, asker)

    async def move(self, room: RoomId, job: str, position: int, asker: Asker) -> JobView:
        return self._act(f"move to {position}", room, job, asker)

    async def prioritise(self, room: RoomId, job: str, priority: Priority, asker: Asker) -> JobView:
        return self._act(f"prioritise {priority}", room, job, asker)

    async def undo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._act("undo", room, job, asker)

    async def redo(self, room: RoomId, job: str, asker: Asker) -> JobView:
        return self._act("redo", room, job, asker)

    def _act(self, action: str, room: RoomId, job: str, asker: Asker) -> JobView:
        self.calls.append((action, room, job, asker.name))
        self.acted.set()
        if job != self.job.job:
            raise NotFound(f"There is no job {job!r}.", field="job")
        return self.job

    async def jobs(self, room: RoomId) -> list[JobView]:
        return [self.job]

    async def suggestions(self, room: RoomId, *, all_of_them: bool = False) -> list[SuggestionView]:
        return [SUGGESTION, replace(SUGGESTION, suggestion="s2", state="merged")][: 1 + all_of_them]

    async def answer_all(
        self, room: RoomId, job: str, path: str | None, choice: Choice, asker: Asker
    ) -> AnsweredAll:
        self.calls.append(("answer_all", room, job, path, choice, asker.name))
        return AnsweredAll(1, ("b.py: It is gone.",), JOB)

    def ledgers(self, room: RoomId) -> list[Ledger]:
        return []

    async def record(self, room: RoomId, change: NewChange, asker: Asker) -> JobView:
        self.calls.append(("record", room, change, asker.name))
        return replace(JOB, job=change.change, kind=change.kind)

    async def answer(
        self, room: RoomId, suggestion: str, choice: Choice, asker: Asker, text: str = ""
    ) -> SuggestionView:
        self.calls.append(("answer", room, suggestion, choice, asker.name, *[text][: bool(text)]))
        if suggestion == "answered":
            raise Conflict("Kim has accepted this already.")
        return replace(SUGGESTION, state="accepted", answered_by=asker.name)

    @asynccontextmanager
    async def watch(self, job: str) -> AsyncIterator[AsyncIterator[GenerationEvent]]:
        self.watched.set()
        yield self._events()

    async def _events(self) -> AsyncIterator[GenerationEvent]:
        while not (self.ends and self.happening.empty()):
            yield await self.happening.get()


@dataclass
class FakeState:
    settings: Settings = field(default_factory=Settings)
    hub: FakeHub = field(default_factory=FakeHub)
    generation: FakeGeneration = field(default_factory=FakeGeneration)
    history: FakeHistory = field(default_factory=FakeHistory)
    version: str = "0.0.test"
    meanings: Meanings | None = None
    random: random.Random = field(default_factory=lambda: random.Random(1))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str | None = None
    past: Past = field(default_factory=lambda: Past(Texts(1024 * 1024)))

    @cached_property
    def door(self) -> Door:
        return Door(self.generation, SystemClock(), self.random, TextResolver(), TextResolver())

    @cached_property
    def search(self) -> Searching:
        return Searching(Indexes(SystemClock()))

    def not_ready(self) -> str | None:
        return self.reason

    def app(self, client: Path | None = None) -> Starlette:
        return Starlette(routes=routes(self, client))

    def client(self, client: Path | None = None, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app(client)), base_url=ROOT, headers=headers)


def error_of(response: httpx.Response) -> tuple[int, str, str, str | None]:
    """Status, code, message and field of an error answer; fails if it has another form."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field"}
    error = body["error"]
    return response.status_code, error["code"], error["message"], error["field"]
