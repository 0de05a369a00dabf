"""What the core needs from outside, as Protocols. ``collab/io`` holds the adapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from collab.ids import RoomId
from collab.origin import Origin


class Clock(Protocol):
    """Time, passed in so that tests and simulations decide what it is."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970 (UTC), for records that people read."""
        ...


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One raw update as it came in.

    ``seq`` is its number. What a store loads is numbered from 1 in each room, without gaps. What is handed to
    a store is numbered on by its writer from the last one that it loaded; where several nodes write to one
    log, the store gives the entry its place among theirs.
    """

    seq: int
    at_ms: int
    origin: Origin
    update: bytes
    fence: int = 0
    """The token under which the writer kept the room's jobs; 0 for an edit that needs none. Not stored."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A room's whole state: what replaying every entry up to and including ``seq`` gives.

    ``pending`` are raw updates among those entries that still wait for a missing one; an encoded state
    does not hold them (pycrdt leaves them out of ``get_update``). ``attribution`` tells who wrote what of it
    (``collab.attribution_codec``); it is empty in one that was stored before that was known.
    """

    seq: int
    state: bytes
    pending: tuple[bytes, ...] = ()
    attribution: bytes = b""


@dataclass(frozen=True, slots=True)
class StoredRoom:
    """What the store has of a room: the last checkpoint, if any, and the entries after it, in order."""

    checkpoint: Checkpoint | None
    entries: tuple[LogEntry, ...]

    @property
    def last_seq(self) -> int:
        """The sequence number of the last entry ever stored; 0 for a room that has none."""
        if self.entries:
            return self.entries[-1].seq
        return self.checkpoint.seq if self.checkpoint else 0


@dataclass(frozen=True, slots=True)
class RoomSummary:
    """One row of the list of rooms. Sizes in bytes of what is stored."""

    room: RoomId
    stored_bytes: int
    log_entries: int
    last_change_ms: int
    checkpoint_ms: int = 0
    """The time of the newest edit that the last checkpoint holds; 0 without a checkpoint."""


class Store(Protocol):
    """Keeps rooms. Every method raises StoreError or one of its kinds, and nothing else."""

    async def load(self, room: RoomId, *, aside: bool = False) -> StoredRoom:
        """What is stored of the room; empty for a room that was never stored. Raises StoreCorrupt.

        ``aside``: nobody waits for it, so it may take several times as long, and shall cost others little.
        """
        ...

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """Stores entries of any rooms, all or none. They are durable when this returns.

        Appending an entry whose (room, seq) is stored already changes nothing, so a batch whose outcome
        is unknown may be appended again.
        """
        ...

    async def compact(self, room: RoomId, checkpoint: Checkpoint) -> None:
        """Puts the checkpoint in place and trims the entries up to ``checkpoint.seq``, in one step.

        A store that several nodes share refuses it with StoreFenced when another node has begun to compact
        the room meanwhile; the caller of a shared store holds its lock (``SharedStore.compacting``).
        """
        ...

    async def rooms(self) -> list[RoomSummary]:
        """All stored rooms, by name."""
        ...

    async def delete(self, room: RoomId) -> None:
        """Forgets the room, its log, checkpoint and records. A room that is not there is no error."""
        ...

    async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
        """Stores (or with None forgets) server state of a room that is not in the document, durably.

        ``kind`` is a short name such as ``job`` or ``suggestion``. With a ``fence``, a store that several
        nodes share refuses what a node writes under a token that is no longer the newest: StoreFenced.
        """
        ...

    async def records(self, room: RoomId, kind: str) -> dict[str, bytes]:
        """All records of one kind, by key."""
        ...

    async def close(self) -> None:
        """Ends all work; what was being written is written."""
        ...
