"""What a room needs when several nodes serve it: one log for all of them, and a bus between them.

``collab/io`` holds the adapters for Redis, ``collab/shared_memory.py`` the twin in memory. The room's log is
the truth: what an entry says is on every node sooner or later, whatever the bus loses. The bus makes it soon.

A log has an identity (``log``), which it gets with its first entry, and again when a node finds that the store
has lost entries. A node remembers how far it has read: a ``Mark``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from collab.ids import NodeId, RoomId
from collab.ports import LogEntry, Store, StoredRoom


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who wrote an entry, and its number among those of that writer: the same entry has the same stamp."""

    writer: str
    number: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a node has read a room's log: the log's identity, the position of the last entry that it has
    with all before it, and that entry's stamp (None at position 0).
    """

    log: str = ""
    position: int = 0
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True)
class SharedEntry:
    """An entry in its place in a shared log. ``entry.seq`` is its position."""

    entry: LogEntry
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Commit:
    """Entries of one room to be stored and announced in one atomic step; ``seq`` is the writer's number.

    ``mark`` is what the writer knows of the log; a log that has another identity, is shorter, or does not show
    the entry of the mark at its position (any more), is not written to.
    """

    room: RoomId
    mark: Mark
    entries: tuple[LogEntry, ...]


class CommitState(Enum):
    """What became of a commit."""

    STORED = "stored"
    BEHIND = "behind"
    """The log is not the one that the mark names, or it is shorter, or has gone on in another way, or nobody can
    tell since the mark's position is inside a checkpoint. Nothing was written.
    """
    DELETED = "deleted"
    """Somebody has deleted the room. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The answer to one commit. ``first`` is the position of the first entry that was stored now, ``count``
    how many were (entries that had been stored before are skipped, as are those that ``refused`` names by
    their numbers: their fence was not the newest). ``number`` is the writer's number of the entry at
    ``first``; numbers after it follow without those refused. ``peers`` counts the other nodes in the room.
    """

    state: CommitState
    log: str = ""
    first: int = 0
    count: int = 0
    numbers: tuple[int, ...] = ()
    """The writer's numbers of the entries at ``first``, ``first + 1`` and so on."""
    refused: tuple[int, ...] = ()
    peers: int = 0


@dataclass(frozen=True, slots=True)
class Tail:
    """What a log has after a mark.

    ``same`` is True when the log is the one of the mark and the entry at the mark's position is still the
    same (also when it is part of a checkpoint now and was its last one). It is None when that cannot be told,
    as the entry is somewhere inside a checkpoint, and False when the store has lost something or the log is
    another one. Only with True are ``entries`` all that comes after the mark; otherwise they are empty.
    ``log`` is empty when there is no log.
    """

    log: str
    last: int
    same: bool | None
    entries: tuple[SharedEntry, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the store has of a room, and the mark of one who has read it."""

    stored: StoredRoom
    mark: Mark
    number: int = 0
    """The last number of this writer in the log. It is above the mark's position where the log has lost entries:
    one that is used again would be taken for the entry that had it before.
    """


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """What the list of rooms tells of a shared room, beside RoomSummary. Times in ms since 1970, 0: never."""

    nodes: tuple[NodeId, ...]
    checkpoint_ms: int
    checkpoint_entries: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Who keeps a room's jobs: the node, and the token that fences off all who kept them before."""

    node: NodeId
    token: int


class SharedStore(Store, Protocol):
    """A store that several nodes write to. Everything raises StoreError or one of its kinds, nothing else;
    when the store cannot be reached, within a few seconds.
    """

    @property
    def writer(self) -> str:
        """The name under which this process writes to logs; no other process ever has it."""
        ...

    async def snapshot(self, room: RoomId) -> Snapshot:
        """As ``load``, with the mark. Raises StoreCorrupt."""
        ...

    async def commit(self, commits: Sequence[Commit]) -> list[Committed]:
        """Stores each room's entries and announces them on the bus (``BusEntries``), atomically per room.

        They are stored as durably as the store is set up for when this returns. An entry whose number is not
        above the last one of this writer in that log was stored before and is skipped. When this raises, any
        of the commits may have been carried out; the same again does no harm.
        """
        ...

    async def tails(self, marks: Sequence[tuple[RoomId, Mark]]) -> list[Tail]:
        """What each log has after its mark."""
        ...

    async def restore(
        self, room: RoomId, seen: Mark, updates: Sequence[LogEntry], through: int, *, rename: bool
    ) -> Committed:
        """Brings back what a log has lost, and makes all of this writer's numbers up to ``through`` count as
        stored.

        Nothing is written unless the log is still the one that ``seen`` names and has its entry there: what was
        found missing was found missing in that one. ``rename`` gives it a new identity, so that every other node
        looks too. Where none was seen, it is begun. Deleted rooms stay deleted.
        """
        ...

    def compacting(self, room: RoomId) -> AbstractAsyncContextManager[bool]:
        """Holds the room's lock for compaction, False if another node has it. While it is held, ``compact``
        uses its token, and refuses with StoreFenced once another node has taken the lock over.
        """
        ...

    async def facts(self, rooms: Sequence[RoomId]) -> list[RoomFacts]:
        """For the list of rooms."""
        ...

    # Nodes

    async def renew(self, node: NodeId, about: bytes, seconds: float) -> dict[NodeId, bytes] | None:
        """Begins or renews a node's lease; all live nodes with what each says of itself, this one included.

        None when the node had a lease once and lost it: it must come back under another id. A node's first
        lease is begun with ``enroll``.
        """
        ...

    async def enroll(self, node: NodeId, about: bytes, seconds: float) -> dict[NodeId, bytes]:
        """Begins a node's lease; all live nodes, this one included."""
        ...

    async def resign(self, node: NodeId) -> None:
        """Ends a node's lease."""
        ...

    async def enter(self, rooms: Sequence[RoomId], node: NodeId) -> list[tuple[NodeId, ...]]:
        """Notes that a node holds these rooms, so that what others write to them is announced; all nodes that
        hold each of them, this one included and dead ones too.
        """
        ...

    async def leave(self, room: RoomId, nodes: Sequence[NodeId]) -> None:
        """These nodes do not hold the room any more: this one, or dead ones that somebody noticed. Keeps stay."""
        ...

    # Who keeps a room's jobs

    async def claim(self, room: RoomId, node: NodeId, dead: Sequence[NodeId]) -> Keep:
        """Makes the node the keeper, with a token higher than any before, unless a node that is not among
        ``dead`` keeps it; the keeper there is now. A keeper that claims again keeps its token.
        """
        ...

    async def unclaim(self, room: RoomId, keep: Keep) -> None:
        """Ends this keep, if it is still the one."""
        ...


class BusListener(Protocol):
    """What a bus calls, in the event loop; nothing of it blocks or raises."""

    def entries(self, room: RoomId, log: str, entries: Sequence[SharedEntry]) -> None:
        """Another writer's entries were stored in a room's log, at positions that follow each other."""
        ...

    def message(self, room: RoomId, node: NodeId, payload: bytes) -> None:
        """Another node has published something in a room."""
        ...

    def direct(self, node: NodeId, payload: bytes) -> None:
        """A node has sent something to this one."""
        ...

    def renewed(self) -> None:
        """The connection was lost and is there again, all subscriptions with it; anything may be missing."""
        ...

    def down(self, reason: str) -> None:
        """The connection is lost; ``renewed`` follows."""
        ...


class Bus(Protocol):
    """Carries entries and messages between nodes, soon, in order, and perhaps not at all."""

    def running(self, node: NodeId, listener: BusListener) -> AbstractAsyncContextManager[None]:
        """Connects, and stays connected, with backoff and jitter; does not raise when it cannot yet."""
        ...

    def rename(self, node: NodeId) -> None:
        """The node has another id from now on."""
        ...

    async def subscribe(self, room: RoomId) -> None:
        """Returns when what is published in the room arrives. Raises StoreUnavailable."""
        ...

    async def unsubscribe(self, room: RoomId) -> None:
        """Ends that. Never raises."""
        ...

    def publish(self, room: RoomId, payload: bytes) -> None:
        """Tells all other nodes in a room, soon. What is published in one turn of the event loop goes together;
        what cannot go because the connection is lost, or too much waits, is dropped.
        """
        ...

    def send(self, node: NodeId, payload: bytes) -> None:
        """Tells one node, in the same way."""
        ...
