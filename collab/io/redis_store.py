"""The store that several nodes share: rooms in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgpack

from collab.errors import StoreFenced
from collab.ids import NodeId, RoomId
from collab.io.redis_checkpoints import RedisCheckpoints
from collab.io.redis_link import RedisLink
from collab.io.redis_log import RedisLog
from collab.io.redis_rooms import RedisRooms
from collab.ports import Checkpoint, LogEntry, RoomSummary, StoredRoom
from collab.shared import Commit, Committed, Keep, Mark, RoomFacts, Snapshot, Tail

_AT_ONCE: Final = 1000


class RedisStore:
    """Implements ``collab.shared.SharedStore``. It works on a link that whoever made it closes.

    What is written is as durable as Redis is set up for: at the latest when it returns it is in Redis' log, and
    with ``appendfsync always`` on its disk.
    """

    def __init__(self, link: RedisLink, *, writer: str, prefix: str = "pairloom:") -> None:
        """``writer`` is this process's name in logs, without a dot at which a node's number would begin."""
        self._writer: Final = writer
        self._puts = 0
        self._rooms: Final = RedisRooms(link, prefix)
        self._log: Final = RedisLog(self._rooms, writer)
        self._checkpoints: Final = RedisCheckpoints(self._rooms, self._log)
        self._nodes: Final = f"{prefix}nodes"

    @property
    def writer(self) -> str:
        """See SharedStore.writer."""
        return self._writer

    async def load(self, room: RoomId, *, aside: bool = False) -> StoredRoom:
        """See Store.load. Raises StoreCorrupt for what is missing or does not match its checksum."""
        return (await self._checkpoints.snapshot(room)).stored

    async def snapshot(self, room: RoomId) -> Snapshot:
        """See SharedStore.snapshot."""
        return await self._checkpoints.snapshot(room)

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """See Store.append. In a Cluster, all or none of each room's entries.

        Raises StoreError for an entry that would leave a gap.
        """
        await self._log.append(entries)

    async def commit(self, commits: Sequence[Commit]) -> list[Committed]:
        """See SharedStore.commit."""
        return await self._log.commit(commits)

    async def tails(self, marks: Sequence[tuple[RoomId, Mark]]) -> list[Tail]:
        """See SharedStore.tails."""
        return await self._log.tails(marks)

    async def restore(
        self, room: RoomId, seen: Mark, updates: Sequence[LogEntry], through: int, *, rename: bool
    ) -> Committed:
        """See SharedStore.restore."""
        return await self._log.restore(room, seen, updates, through, rename=rename)

    def compacting(self, room: RoomId) -> AbstractAsyncContextManager[bool]:
        """See SharedStore.compacting."""
        return self._checkpoints.compacting(room)

    async def compact(self, room: RoomId, checkpoint: Checkpoint) -> None:
        """See Store.compact. A checkpoint older than the stored one changes nothing.

        Raises StoreError for a checkpoint that covers entries which are not stored, StoreFenced when another
        node has the room's lock.
        """
        await self._checkpoints.compact(room, checkpoint)

    async def rooms(self) -> list[RoomSummary]:
        """See Store.rooms."""
        self._rooms.check_open()
        names: list[RoomId] = []
        client = self._rooms.link.client
        while True:
            with self._rooms.link.failures():
                some = await client.zrange(self._rooms.index, len(names), len(names) + _AT_ONCE - 1)
            names += [RoomId(name.decode()) for name in some]
            if len(some) < _AT_ONCE:
                break
        names = sorted(set(names))
        return [
            RoomSummary(room, size, entries, changed, checkpoint_ms)
            for room, (stored, size, entries, changed, checkpoint_ms, *_) in zip(
                names, await self._rooms.each("about", names, ()), strict=True
            )
            if stored
        ]

    async def facts(self, rooms: Sequence[RoomId]) -> list[RoomFacts]:
        """See SharedStore.facts."""
        return [
            RoomFacts(_names(nodes), checkpoint_ms, entries)
            for *_, checkpoint_ms, entries, nodes in await self._rooms.each("about", rooms, ())
        ]

    async def delete(self, room: RoomId) -> None:
        """See Store.delete. The room's nodes are told (``redis_wire.Deleted``)."""
        rooms = self._rooms
        if rooms.clustered:
            # Before, not after: whoever makes the room again lists it again.
            rooms.check_open()
            with rooms.link.failures():
                await rooms.link.client.zrem(rooms.index, room)
        self._log.forget_in_index(room)
        await rooms.run("delete", room, [self._writer, rooms.sharded, rooms.index_in_scripts])

    async def put_record(self, room: RoomId, kind: str, key: str, value: bytes | None, fence: int = 0) -> None:
        """See Store.put_record. Raises StoreFenced."""
        what = (b"", "0") if value is None else (value, "1")
        self._puts += 1
        args = [kind, key, *what, fence, self._rooms.index_in_scripts, self._writer, self._puts]
        if not await self._rooms.run("record", room, args):
            raise StoreFenced(
                f"The {kind} {key!r} of room {room!r} was not stored: another node keeps its jobs now. Ask "
                "that one."
            )
        if value is not None:
            await self._log.list_in_index([room])

    async def records(self, room: RoomId, kind: str) -> dict[str, bytes]:
        """See Store.records."""
        self._rooms.check_open()
        found: dict[str, bytes] = {}
        name, cursor = self._rooms.key(room, f"record:{kind}"), 0
        while True:
            with self._rooms.link.failures():
                cursor, some = await self._rooms.link.client.hscan(name, cursor, count=_AT_ONCE)
            found.update((key.decode(), value) for key, value in some.items())
            if not cursor:
                return dict(sorted(found.items()))

    async def close(self) -> None:
        """See Store.close. The link stays open."""
        self._rooms.close()

    # Nodes

    async def renew(self, node: NodeId, about: bytes, seconds: float) -> dict[NodeId, bytes] | None:
        """See SharedStore.renew. By the clock of Redis."""
        return await self._lease("renew", node, about, seconds)

    async def enroll(self, node: NodeId, about: bytes, seconds: float) -> dict[NodeId, bytes]:
        """See SharedStore.enroll."""
        return await self._lease("enroll", node, about, seconds) or {}

    async def resign(self, node: NodeId) -> None:
        """See SharedStore.resign."""
        await self._lease("resign", node, b"", 0)

    async def enter(self, rooms: Sequence[RoomId], node: NodeId) -> list[tuple[NodeId, ...]]:
        """See SharedStore.enter."""
        return [_names(nodes) for nodes in await self._rooms.each("enter", rooms, [node])]

    async def leave(self, room: RoomId, nodes: Sequence[NodeId]) -> None:
        """See SharedStore.leave."""
        if nodes:
            await self._rooms.run("leave", room, nodes)

    async def claim(self, room: RoomId, node: NodeId, dead: Sequence[NodeId]) -> Keep:
        """See SharedStore.claim."""
        keeper, token = await self._rooms.run("claim", room, [node, *dead])
        return Keep(NodeId(keeper.decode()), token)

    async def unclaim(self, room: RoomId, keep: Keep) -> None:
        """See SharedStore.unclaim."""
        await self._rooms.run("unclaim", room, [keep.node, keep.token])

    async def _lease(self, what: str, node: NodeId, about: bytes, seconds: float) -> dict[NodeId, bytes] | None:
        args = [what, node, about, int(seconds * 1000)]
        live = msgpack.unpackb(await self._rooms.on("nodes", [self._nodes], args), raw=True)
        if live is False:
            return None
        return {NodeId(name.decode()): said for name, said in sorted(zip(live[::2], live[1::2], strict=True))}


def _names(nodes: Sequence[bytes]) -> tuple[NodeId, ...]:
    return tuple(sorted(NodeId(node.decode()) for node in nodes))
