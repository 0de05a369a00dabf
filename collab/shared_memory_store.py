"""The twin in memory of the shared store: one process's way to the world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from typing import Final, TypeVar

from collab import shared_memory_room as rooms
from collab.errors import StoreError, StoreFenced, StoreUnavailable
from collab.ids import NodeId, RoomId
from collab.ports import Checkpoint, LogEntry, RoomSummary, StoredRoom
from collab.shared import Commit, Committed, Keep, Mark, RoomFacts, SharedEntry, Snapshot, Stamp, Tail
from collab.shared_memory_room import Lock, MemoryRoom
from collab.shared_memory_world import World

T = TypeVar("T")
DELETED: Final = b"deleted"
"""What the bus tells a room's nodes, in the name of no node, with the identity of the log that was deleted."""
LOCK_SECONDS: Final = 15.0
"""After which another node may begin a compaction, as if the one that holds the lock had died."""


class SharedMemoryStore:
    """Implements ``collab.shared.SharedStore``."""

    def __init__(self, world: World, writer: str) -> None:
        self._world: Final = world
        self._writer: Final = writer
        self._closed = False
        self._puts = 0
        self._held: dict[RoomId, int] = {}
        self._read: dict[RoomId, Mark] = {}

    @property
    def writer(self) -> str:
        """See SharedStore.writer."""
        return self._writer

    # The log

    async def load(self, room: RoomId, *, aside: bool = False) -> StoredRoom:
        """See Store.load."""
        return (await self.snapshot(room)).stored

    async def snapshot(self, room: RoomId) -> Snapshot:
        """See SharedStore.snapshot."""
        found = await self._ask("snapshot", lambda: self._world.room(room).snapshot(self._writer))
        self._read[room] = found.mark
        return found

    async def commit(self, commits: Sequence[Commit]) -> list[Committed]:
        """See SharedStore.commit."""

        def operation() -> list[Committed]:
            return [self._commit(one) for one in commits]

        return await self._ask("commit", operation)

    async def tails(self, marks: Sequence[tuple[RoomId, Mark]]) -> list[Tail]:
        """See SharedStore.tails."""
        return await self._ask("tails", lambda: [rooms.tail(self._world.room(room), mark) for room, mark in marks])

    async def restore(
        self, room: RoomId, seen: Mark, updates: Sequence[LogEntry], through: int, *, rename: bool
    ) -> Committed:
        """See SharedStore.restore."""

        def operation() -> Committed:
            fresh = self._world.fresh_log()
            now = self._world.room(room)
            after, answer, added = rooms.restore(now, self._writer, seen, updates, through, fresh, rename=rename)
            self._world.put(room, after)
            self._announce(room, answer, added, renamed=after.log != now.log)
            return answer

        return await self._ask("restore", operation)

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """See Store.append. Raises StoreError for an entry that would leave a gap."""

        def operation() -> None:
            new: dict[RoomId, list[LogEntry]] = {}
            for room, entry in entries:
                fresh = new.setdefault(room, [])
                last = fresh[-1].seq if fresh else self._world.room(room).last
                if entry.seq <= last:
                    continue
                if entry.seq != last + 1:
                    raise StoreError(
                        f"Entry {entry.seq} of room {room!r} cannot follow entry {last}: append in order, "
                        "without gaps."
                    )
                fresh.append(entry)
            for room, added in new.items():
                known = self._world.room(room)
                after, stored = rooms.append(known, self._writer, added, self._world.fresh_log())
                if stored:
                    self._world.put(room, after)

        await self._ask("append", operation)

    # Compaction

    def compacting(self, room: RoomId) -> AbstractAsyncContextManager[bool]:
        """See SharedStore.compacting."""
        return self._compacting(room)

    @asynccontextmanager
    async def _compacting(self, room: RoomId) -> AsyncIterator[bool]:
        def lock() -> int | None:
            now, known = self._world.clock.monotonic(), self._world.room(room)
            if known.lock is not None and known.lock.until > now:
                return None
            token = known.locks + 1
            self._world.put(room, replace(known, lock=Lock(token, now + LOCK_SECONDS), locks=token))
            return token

        def unlock() -> None:
            known = self._world.room(room)
            if known.lock is not None and known.lock.token == token:
                self._world.put(room, replace(known, lock=None))

        token = await self._ask("lock", lock)
        if token is None:
            yield False
            return
        self._held[room] = token
        try:
            yield True
        finally:
            del self._held[room]
            # A lock that cannot be given back now ends by itself; what was done under it stands.
            with suppress(StoreUnavailable):
                await self._ask("unlock", unlock)

    async def compact(self, room: RoomId, checkpoint: Checkpoint) -> None:
        """See Store.compact. Raises StoreFenced also when the log is not the one that was read any more."""
        token, read = self._held.get(room), self._read.get(room)

        def operation() -> None:
            known = self._world.room(room)
            if token is not None and (known.lock is None or known.lock.token != token):
                raise StoreFenced(
                    f"The log of room {room!r} was not compacted: another node has begun to, and its checkpoint "
                    "counts."
                )
            if read is not None and read.position == checkpoint.seq and _another(known, read):
                raise StoreFenced(
                    f"The log of room {room!r} was not compacted: the store has lost entries since it was read. "
                    "It is compacted again later."
                )
            self._world.put(room, rooms.compact(room, known, checkpoint, self._world.clock.wall_ms()))

        await self._ask("compact", operation)

    # Rooms and records

    async def rooms(self) -> list[RoomSummary]:
        """See Store.rooms."""
        return await self._ask("rooms", lambda: [rooms.summary(*named) for named in self._world.rooms()])

    async def facts(self, rooms: Sequence[RoomId]) -> list[RoomFacts]:
        """See SharedStore.facts."""

        def operation() -> list[RoomFacts]:
            known = [self._world.room(room) for room in rooms]
            return [
                RoomFacts(room.nodes, room.checkpoint_ms, room.checkpoint.seq if room.checkpoint else 0)
                for room in known
            ]

        return await self._ask("facts", operation)

    async def delete(self, room: RoomId) -> None:
        """See Store.delete."""

        def operation() -> None:
            before = self._world.room(room)
            self._world.put(room, rooms.delete(before))
            if before.log:
                for bus in self._world.others(self._writer):
                    bus.message(self._writer, room, NodeId(""), DELETED + before.log.encode())

        await self._ask("delete", operation)

    async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
        """See Store.put_record."""
        self._puts += 1
        call = Stamp(self._writer, self._puts)
        await self._change(
            "record", room, lambda known: rooms.put_record(room, known, kind, key, value, fence, call)
        )

    async def records(self, room: RoomId, kind: str) -> dict[str, bytes]:
        """See Store.records."""

        def operation() -> dict[str, bytes]:
            found = sorted(self._world.room(room).records.items())
            return {key: value for (of, key), value in found if of == kind}

        return await self._ask("records", operation)

    async def close(self) -> None:
        """See Store.close."""
        self._closed = True

    # Nodes

    async def renew(self, node: NodeId, about: bytes, seconds: float) -> dict[NodeId, bytes] | None:
        """See SharedStore.renew."""

        def operation() -> dict[NodeId, bytes] | None:
            if node not in self._world.live():
                return None
            self._world.lease(node, self._world.extended(about, seconds))
            return self._world.live()

        return await self._ask("renew", operation)

    async def enroll(self, node: NodeId, about: bytes, seconds: float) -> dict[NodeId, bytes]:
        """See SharedStore.enroll."""

        def operation() -> dict[NodeId, bytes]:
            self._world.lease(node, self._world.extended(about, seconds))
            return self._world.live()

        return await self._ask("enroll", operation)

    async def resign(self, node: NodeId) -> None:
        """See SharedStore.resign."""
        await self._ask("resign", lambda: self._world.lease(node, None))

    async def enter(self, rooms: Sequence[RoomId], node: NodeId) -> list[tuple[NodeId, ...]]:
        """See SharedStore.enter."""

        def operation() -> list[tuple[NodeId, ...]]:
            for room in rooms:
                known = self._world.room(room)
                if node not in known.nodes:
                    self._world.put(room, replace(known, nodes=tuple(sorted([*known.nodes, node]))))
            return [self._world.room(room).nodes for room in rooms]

        return await self._ask("enter", operation)

    async def leave(self, room: RoomId, nodes: Sequence[NodeId]) -> None:
        """See SharedStore.leave."""
        await self._change("leave", room, lambda known: rooms.leave(known, nodes))

    # Who keeps a room's jobs

    async def claim(self, room: RoomId, node: NodeId, dead: Sequence[NodeId]) -> Keep:
        """See SharedStore.claim."""

        def operation() -> Keep:
            before = self._world.room(room)
            known = rooms.claim(before, node, dead, self._world.clock.wall_ms())
            if known is not before:
                self._world.put(room, known)
            assert known.keep is not None
            return known.keep

        return await self._ask("claim", operation)

    async def unclaim(self, room: RoomId, keep: Keep) -> None:
        """See SharedStore.unclaim."""
        await self._change(
            "unclaim", room, lambda known: replace(known, keep=None) if known.keep == keep else known
        )

    # Inside

    async def _ask(self, what: str, operation: Callable[[], T]) -> T:
        if self._closed:
            raise StoreError("The store is closed.")
        return await self._world.ask(self._writer, what, operation)

    async def _change(self, what: str, room: RoomId, change: Callable[[MemoryRoom], MemoryRoom]) -> None:
        def operation() -> None:
            before = self._world.room(room)
            after = change(before)
            if after is not before:
                self._world.put(room, after)

        await self._ask(what, operation)

    def _commit(self, given: Commit) -> Committed:
        before = self._world.room(given.room)
        after, answer, added = rooms.commit(before, self._writer, given, self._world.fresh_log())
        if after is not before:
            self._world.put(given.room, after)
        self._announce(given.room, answer, added)
        return answer

    def _announce(
        self, room: RoomId, answer: Committed, added: tuple[SharedEntry, ...], *, renamed: bool = False
    ) -> None:
        if (added or renamed) and answer.peers:
            for bus in self._world.others(self._writer):
                bus.entries(self._writer, room, answer.log, added)


def _another(room: MemoryRoom, read: Mark) -> bool:
    return room.log != read.log or room.has_lost(read.position, read.stamp)
