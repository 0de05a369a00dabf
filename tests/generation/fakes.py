"""A room in memory, with a real document, and a clock that tests move."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from collab.document import Applied, Document
from collab.editor import Editor
from collab.ids import ClientId, FileId, PersonId, RoomId, client_id
from collab.ledger import Ledger
from collab.origin import Origin
from collab.ports import LogEntry
from generation.context.people import Participant
from generation.events import GenerationEvent
from generation.views import Asker

T = TypeVar("T")
ROOM = RoomId("room")
ADA = Asker(PersonId("p-ada"), "Ada")
BOB = Asker(PersonId("p-bob"), "Bob")


@dataclass
class FakeRoom:
    """Implements generation.ports.RoomHandle. ``store`` outlives it, as a database outlives a process."""

    store: dict[str, dict[str, bytes]]
    document: Document = field(default_factory=lambda: Document(ClientId(1)))
    room: RoomId = ROOM
    events: list[GenerationEvent] = field(default_factory=list)
    presence: dict[ClientId, Mapping[str, object]] = field(default_factory=dict)
    origins: list[Origin] = field(default_factory=list)
    loads: int = 0
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    fail_with: Exception | None = None
    people: list[Participant] = field(default_factory=list)
    log_watch: Callable[[LogEntry], None] = lambda _: None

    def change(self, change: Callable[[Editor], T], origin: Origin) -> tuple[T, Applied]:
        self.origins.append(origin)
        return self.document.edit(change)

    def apply(self, update: bytes, origin: Origin) -> Applied:
        if self.fail_with is not None:
            raise self.fail_with
        self.origins.append(origin)
        self.log_watch(LogEntry(len(self.origins), 0, origin, update))
        self.seen.set()
        return self.document.apply([update], track=True)

    def announce(self, event: GenerationEvent) -> None:
        self.events.append(event)
        self.seen.set()

    def set_presence(self, client: ClientId, state: Mapping[str, object] | None) -> None:
        if state is None:
            self.presence.pop(client, None)
        else:
            self.presence[client] = state

    def put_record(self, kind: str, key: str, value: bytes | None) -> None:
        records = self.store.setdefault(kind, {})
        if value is None:
            records.pop(key, None)
        else:
            records[key] = value

    def participants(self) -> list[Participant]:
        return self.people

    def settle(self) -> None:
        """Nothing waits."""

    def may_generate(self) -> bool:
        return True

    def watch_log(self, watch: Callable[[LogEntry], None]) -> None:
        self.log_watch = watch

    async def beside(self) -> list[Ledger]:
        return []

    async def caught_up(self) -> None: ...

    async def durable(self) -> None: ...

    async def records(self, kind: str) -> dict[str, bytes]:
        self.loads += 1
        await asyncio.sleep(0)
        return dict(self.store.get(kind, {}))

    def add(self, path: str, text: str) -> FileId:
        """Puts a file into the room, as a person would."""
        file = FileId(f"id-{path}")
        self.document.edit(lambda editor: editor.create(file, path, text))
        return file

    def text(self, path: str) -> str:
        return self.document.text(self.document.file(path).id)

    def of(self, kind: type[T]) -> list[T]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, met: Callable[[], object]) -> None:
        """Waits until something is so, looking after each event."""
        async with asyncio.timeout(20):
            while not met():
                self.seen.clear()
                await self.seen.wait()


class FakeRooms:
    """Implements generation.ports.Rooms over one room."""

    def __init__(self, room: FakeRoom) -> None:
        self.room = room
        self.holders = 0

    def held(self, room: RoomId) -> AbstractAsyncContextManager[FakeRoom]:
        return self._held()

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[FakeRoom]:
        self.holders += 1
        try:
            await asyncio.sleep(0)
            yield self.room
        finally:
            self.holders -= 1


class Person:
    """Somebody who types in a copy of the document of their own."""

    def __init__(self, room: FakeRoom, seed: int) -> None:
        self.room = room
        self.random = random.Random(seed)
        self.copy = Document(client_id(self.random))
        self.pull()

    def pull(self) -> None:
        """Brings what the room has."""
        self.copy.apply([self.room.document.encode()])

    def push(self) -> None:
        """Gives the room what is new here."""
        self.room.document.apply([self.copy.encode(self.room.document.state_vector())])

    def type(self, file: FileId, at: int, text: str) -> None:
        self.copy.edit(lambda editor: editor.splice(file, at, at, text))


class ManualClock:
    """Implements collab.ports.Clock: time goes on only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        return 1_700_000_000_000 + round(self.now * 1000)
