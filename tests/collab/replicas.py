"""What tests of rooms have in common: a clock to turn by hand, and Yjs clients made of pycrdt documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pycrdt
from pycrdt import Doc, Map, Text, TransactionEvent

from collab.document import Document, merge_updates
from collab.effects import Broadcast, Effect, Persist
from collab.gaps import Intake
from collab.ids import ClientId, ConnectionId, FileId, PersonId, RoomId
from collab.limits import Limits
from collab.memory import MemoryStore
from collab.ports import LogEntry
from collab.presence import Holder
from collab.room import Member, Room

FILE = FileId("f1")
E = TypeVar("E")


@dataclass
class HandClock:
    """Implements Clock; time passes when a test says so."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        return int(self.now * 1000)


class Replica:
    """A Yjs client: a document, and the updates that its own edits made.

    As with Yjs, what is behind a gap waits, and is among what others are given (a test with real Yjs holds it).
    """

    def __init__(self, client: int) -> None:
        self.client = client
        self.doc: Doc[Any] = Doc(client_id=client)
        self.files: Map[Any] = self.doc.get("files", type=Map)
        self.sent: list[bytes] = []
        self._remote = False
        self._intake = Intake(self.doc.get_state)
        self._waiting: list[bytes] = []
        self._subscription = self.doc.observe(self._observed)

    def _observed(self, event: TransactionEvent) -> None:
        if not self._remote:
            self.sent.append(event.update)

    def create(self, path: str = "a.txt", text: str = "", file: str = FILE) -> bytes:
        """Makes the file; the update."""
        self.files[file] = Map({"path": path, "text": Text(text)})
        return self.sent[-1]

    def text(self, file: str = FILE) -> Text:
        found: Text = self.files[file]["text"]
        return found

    def read(self, file: str = FILE) -> str:
        return str(self.text(file))

    def has(self, file: str = FILE) -> bool:
        return file in self.files

    def insert(self, at: int, text: str, file: str = FILE) -> bytes:
        """Inserts before the code point ``at``; the update."""
        target = self.text(file)
        target.insert(len(str(target)[:at].encode()), text)
        return self.sent[-1]

    def delete(self, start: int, end: int, file: str = FILE) -> bytes:
        """Deletes code points; the update."""
        target = self.text(file)
        content = str(target)
        del target[len(content[:start].encode()) : len(content[:end].encode())]
        return self.sent[-1]

    def apply(self, update: bytes) -> None:
        """Takes somebody else's update."""
        self._remote = True
        try:
            for _, ready in self._intake.plan([update]).steps:
                self.doc.apply_update(ready)
        finally:
            self._remote = False
        self._waiting = [one for one in dict.fromkeys([*self._waiting, update]) if self._lacks(one)]

    def state(self) -> bytes:
        return self.doc.get_state()

    def missing(self, state: bytes = b"\0") -> bytes:
        """What somebody with this state vector lacks."""
        return merge_updates([self.doc.get_update(state), *self._waiting])

    def _lacks(self, update: bytes) -> bool:
        return pycrdt.get_update(update, self.state())[:1] != b"\0"


def replica_with_file(client: int = 1, text: str = "") -> Replica:
    """A client that has made the file."""
    replica = Replica(client)
    replica.create(text=text)
    return replica


def copy_of(source: Replica, client: int) -> Replica:
    """A client that has all that another has."""
    replica = Replica(client)
    replica.apply(source.missing())
    return replica


@dataclass
class Setup:
    """A room with a clock and whatever limits a test needs."""

    limits: Limits = field(default_factory=Limits)
    clock: HandClock = field(default_factory=HandClock)
    name: RoomId = field(default=RoomId("room"))

    def __post_init__(self) -> None:
        self.room = self.fresh()
        self.members = 0

    def fresh(self, client: int = 4_000_000_000) -> Room:
        return Room(self.name, Document(ClientId(client)), self.limits, self.clock)

    def member(self, name: str = "", *, can_edit: bool = True, acknowledged: bool = False) -> Member:
        self.members += 1
        name = name or f"person {self.members}"
        holder = Holder(ConnectionId(f"c{self.members}"))
        return Member(holder, PersonId(name), name, can_edit=can_edit, acknowledged=acknowledged)

    def send(self, member: Member, *updates: bytes) -> list[Effect]:
        """One turn that brings these updates of one connection."""
        for update in updates:
            self.room.push(member, update)
        return self.room.turn()

    async def reload(self, entries: Sequence[LogEntry]) -> Room:
        """The room as it is after a restart, when these entries were stored."""
        store = MemoryStore()
        await store.append([(self.name, entry) for entry in entries])
        room = self.fresh(4_000_000_001)
        room.load(await store.load(self.name))
        return room


def of_kind(effects: Iterable[Effect], kind: type[E]) -> list[E]:
    """The effects of one kind, in order."""
    return [effect for effect in effects if isinstance(effect, kind)]


def updates_of(effects: Iterable[Effect]) -> list[bytes]:
    """The document updates that go out to everybody."""
    return [effect.update for effect in of_kind(effects, Broadcast)]


def entries_of(effects: Iterable[Effect]) -> list[LogEntry]:
    """What goes to the log."""
    return [effect.entry for effect in of_kind(effects, Persist)]
