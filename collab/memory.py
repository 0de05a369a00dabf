"""A store that keeps rooms in memory: the twin of the SQLite store, for tests, simulations and try-outs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from collab.errors import StoreError
from collab.ids import RoomId
from collab.ports import Checkpoint, LogEntry, RoomSummary, StoredRoom


@dataclass(slots=True)
class _Room:
    stored: StoredRoom = field(default_factory=lambda: StoredRoom(None, ()))
    records: dict[tuple[str, str], bytes] = field(default_factory=dict)
    changed_ms: int = 0
    checkpoint_ms: int = 0


class MemoryStore:
    """Implements ``collab.ports.Store``. "Durable" means: as long as this object lives.

    A simulation of a crash keeps the store and drops the rooms; one of a full disk calls ``break_down``.
    """

    def __init__(self) -> None:
        self._rooms: dict[RoomId, _Room] = {}
        self._broken: StoreError | None = None
        self._closed = False

    def break_down(self, error: StoreError) -> None:
        """Makes every write raise ``error``, and change nothing, until ``repair``."""
        self._broken = error

    def repair(self) -> None:
        """Lets writes succeed again."""
        self._broken = None

    async def load(self, room: RoomId, *, aside: bool = False) -> StoredRoom:
        """See Store.load."""
        self._check(writes=False)
        found = self._rooms.get(room)
        return found.stored if found else StoredRoom(None, ())

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """See Store.append. Raises StoreError for an entry that would leave a gap."""
        self._check(writes=True)
        new: dict[RoomId, list[LogEntry]] = {}
        for room, entry in entries:
            known = self._rooms.get(room)
            fresh = new.setdefault(room, [])
            last = fresh[-1].seq if fresh else known.stored.last_seq if known else 0
            if entry.seq <= last:
                continue
            if entry.seq != last + 1:
                raise StoreError(
                    f"Entry {entry.seq} of room {room!r} cannot follow entry {last}: append in order, "
                    "without gaps."
                )
            fresh.append(entry)
        for room, added in new.items():
            kept = self._rooms.setdefault(room, _Room())
            kept.stored = replace(kept.stored, entries=(*kept.stored.entries, *added))
            kept.changed_ms = max([kept.changed_ms, *(entry.at_ms for entry in added)])

    async def compact(self, room: RoomId, checkpoint: Checkpoint) -> None:
        """See Store.compact. A checkpoint older than the stored one changes nothing.

        Raises StoreError for a checkpoint that covers entries which are not stored.
        """
        self._check(writes=True)
        found = self._rooms.get(room)
        if found is None or checkpoint.seq > found.stored.last_seq:
            raise StoreError(
                f"The checkpoint of room {room!r} covers entry {checkpoint.seq}, but only "
                f"{found.stored.last_seq if found else 0} are stored. Make it from what the store loads."
            )
        if found.stored.checkpoint is not None and found.stored.checkpoint.seq > checkpoint.seq:
            return
        covered = [entry.at_ms for entry in found.stored.entries if entry.seq <= checkpoint.seq]
        found.checkpoint_ms = max([found.checkpoint_ms, *covered])
        left = tuple(entry for entry in found.stored.entries if entry.seq > checkpoint.seq)
        found.stored = StoredRoom(checkpoint, left)

    async def rooms(self) -> list[RoomSummary]:
        """See Store.rooms."""
        self._check(writes=False)
        return [_summary(name, self._rooms[name]) for name in sorted(self._rooms)]

    async def delete(self, room: RoomId) -> None:
        """See Store.delete."""
        self._check(writes=True)
        self._rooms.pop(room, None)

    async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
        """See Store.put_record."""
        self._check(writes=True)
        if value is not None:
            self._rooms.setdefault(room, _Room()).records[kind, key] = value
        elif room in self._rooms:
            self._rooms[room].records.pop((kind, key), None)

    async def records(self, room: RoomId, kind: str) -> dict[str, bytes]:
        """See Store.records."""
        self._check(writes=False)
        found = self._rooms.get(room)
        if found is None:
            return {}
        return {key: value for (of, key), value in sorted(found.records.items()) if of == kind}

    async def close(self) -> None:
        """See Store.close. What is stored can be had again with ``reopen``."""
        self._closed = True

    def reopen(self) -> None:
        """Opens the closed store again, with all that it has, as a new process does with a file."""
        self._closed = False

    def _check(self, *, writes: bool) -> None:
        if self._closed:
            raise StoreError("The store is closed.")
        if writes and self._broken is not None:
            raise self._broken


def _summary(name: RoomId, room: _Room) -> RoomSummary:
    size = sum(len(entry.update) for entry in room.stored.entries)
    size += sum(len(value) for value in room.records.values())
    checkpoint = room.stored.checkpoint
    if checkpoint is not None:
        size += len(checkpoint.state) + sum(map(len, checkpoint.pending)) + len(checkpoint.attribution)
    return RoomSummary(name, size, len(room.stored.entries), room.changed_ms, room.checkpoint_ms)
