"""Checkpoints in Redis, and reading a room whole while others may compact it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import msgpack

from collab.errors import StoreCorrupt, StoreError, StoreFenced, StoreUnavailable
from collab.ids import RoomId
from collab.io.redis_log import READ_BYTES, RedisLog, fresh_identity
from collab.io.redis_rooms import RedisRooms
from collab.io.redis_wire import pack, unpack_entries
from collab.ports import Checkpoint, StoredRoom
from collab.shared import Mark, Snapshot, Stamp

logger = logging.getLogger(__name__)

PIECE_BYTES: Final = 512 * 1024
LOCK_MS: Final = 15_000
"""A lock that is not renewed ends after so long: its process is dead, or does not reach Redis."""
RENEW_SECONDS: Final = 4.0
UNFINISHED_SECONDS: Final = 600
"""A checkpoint that was not put in place by then, as its process has died, is removed."""
ATTEMPTS: Final = 20


@dataclass(slots=True)
class _Held:
    """A lock that this process has; ``read`` is how far it has read the room's log since."""

    token: str
    read: Mark | None = None


class RedisCheckpoints:
    """Reads and replaces checkpoints. The names of its methods are those of SharedStore."""

    def __init__(self, rooms: RedisRooms, log: RedisLog) -> None:
        self._rooms: Final = rooms
        self._log: Final = log
        self._held: Final[dict[RoomId, _Held]] = {}

    async def snapshot(self, room: RoomId) -> Snapshot:
        """See SharedStore.snapshot."""
        for _ in range(ATTEMPTS):
            found = await self._read(room)
            if found is not None:
                break
        else:
            raise StoreUnavailable(f"Room {room!r} is compacted again and again while it is read; try again soon.")
        held = self._held.get(room)
        if held is not None:
            held.read = found.mark
        if found.mark.log:
            await self._log.list_in_index([room])
        return found

    @asynccontextmanager
    async def compacting(self, room: RoomId) -> AsyncIterator[bool]:
        """See SharedStore.compacting. The lock is renewed as long as this lasts; else it ends after LOCK_MS."""
        held = _Held(fresh_identity())
        if not await self._lock(room, held):
            yield False
            return
        self._held[room] = held
        renewing = asyncio.create_task(self._renew(room, held))
        try:
            yield True
        finally:
            del self._held[room]
            renewing.cancel()
            await asyncio.wait([renewing])
            # A lock that cannot be given back now ends by itself; what was done under it stands.
            with suppress(StoreUnavailable):
                await self._rooms.run("unlock", room, [held.token, 0])
            if not renewing.cancelled() and (error := renewing.exception()) is not None:
                raise error

    async def _renew(self, room: RoomId, held: _Held) -> None:
        """Keeps a lock until it is cancelled. Whether it is still this one, the script that installs asks."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._rooms.run("unlock", room, [held.token, LOCK_MS])
            except StoreError as error:
                logger.debug("the lock of a compaction was not renewed: %s", error.message)

    async def compact(self, room: RoomId, checkpoint: Checkpoint) -> None:
        """See Store.compact. Without ``compacting`` it takes the room's lock itself.

        Raises StoreError for a checkpoint that covers entries which are not stored, StoreFenced when the lock is
        another's, or the log is not the one any more that was read under it.
        """
        self._rooms.check_open()
        held = self._held.get(room)
        if held is not None:
            await self._install(room, checkpoint, held)
            return
        async with self.compacting(room) as ours:
            if not ours:
                raise _fenced(room)
            await self._install(room, checkpoint, self._held[room])

    async def _lock(self, room: RoomId, held: _Held) -> bool:
        self._rooms.check_open()
        with self._rooms.link.failures():
            done = await self._rooms.link.client.set(
                self._rooms.key(room, "lock"), held.token, nx=True, px=LOCK_MS
            )
        return bool(done)

    async def _install(self, room: RoomId, checkpoint: Checkpoint, held: _Held) -> None:
        identity = fresh_identity()
        blob = _packed(checkpoint)
        pieces = -(-len(blob) // PIECE_BYTES)
        await self._write(room, identity, blob)
        if await self._pieces(room, identity, 0, pieces) != blob:
            raise StoreError(f"The checkpoint of room {room!r} came back from Redis changed. The log stays.")
        read = held.read
        seen: tuple[object, ...] = ()
        if read is not None and read.position == checkpoint.seq and read.stamp is not None:
            seen = (read.log, read.stamp.writer, read.stamp.number)
        size = len(checkpoint.state) + sum(map(len, checkpoint.pending)) + len(checkpoint.attribution)
        what = (held.token, checkpoint.seq, identity, pieces, len(blob), crc32(blob), size, pack(seen))
        word, last = await self._rooms.run("install", room, what)
        if word in {b"installed", b"older"}:
            return
        await self._drop(room, identity)
        if word == b"fenced":
            raise _fenced(room)
        if word == b"changed":
            raise StoreFenced(
                f"The log of room {room!r} was not compacted: Redis has lost entries since it was read. It is "
                "compacted again later."
            )
        if word == b"short":
            raise StoreError(
                f"The checkpoint of room {room!r} covers entry {checkpoint.seq}, but only {last} are stored. Make "
                "it from what the store loads."
            )
        raise StoreError(
            f"The log of room {room!r} was not compacted: its checkpoint is {word.decode()} in Redis. The log "
            "stays; look whether Redis evicts keys (maxmemory-policy must be noeviction)."
        )

    async def _write(self, room: RoomId, identity: str, blob: bytes) -> None:
        """Writes a blob in pieces; it is removed after a while unless it is put in place."""
        name = self._rooms.key(room, f"checkpoint:{identity}")
        client = self._rooms.link.client
        for at in range(0, len(blob), PIECE_BYTES):
            with self._rooms.link.failures():
                await client.hset(name, at // PIECE_BYTES, blob[at : at + PIECE_BYTES])
                if at == 0:
                    await client.expire(name, UNFINISHED_SECONDS)

    async def _drop(self, room: RoomId, identity: str) -> None:
        with self._rooms.link.failures():
            await self._rooms.link.client.unlink(self._rooms.key(room, f"checkpoint:{identity}"))

    async def _pieces(self, room: RoomId, identity: str, first: int, pieces: int) -> bytes | None:
        """A blob's bytes from a piece on; None when it is not there (any more)."""
        name = self._rooms.key(room, f"checkpoint:{identity}")
        parts: list[bytes] = []
        for at in range(first, pieces):
            with self._rooms.link.failures():
                part = await self._rooms.link.client.hget(name, at)
            if part is None:
                return None
            parts.append(part)
        return b"".join(parts)

    async def _read(self, room: RoomId) -> Snapshot | None:
        """One attempt; None when the room was compacted in between."""
        packed = await self._rooms.run("snapshot", room, [READ_BYTES, self._log.writer])
        answer: list[Any] = msgpack.unpackb(packed, raw=True)
        name, last, writer, number, seq, identity, pieces, size, crc, blob, packed, known = answer
        log = name.decode()
        if not log:
            return Snapshot(StoredRoom(None, ()), Mark())
        checkpoint = None
        if seq:
            rest = await self._pieces(room, identity.decode(), 1, pieces)
            if rest is None:
                if await self._compacted(room, identity):
                    return None
                raise _damaged(room, "its checkpoint is missing")
            checkpoint = _checkpoint(room, seq, blob + rest, size, crc)
        entries = unpack_entries(seq + 1, packed)
        read = seq + len(entries)
        if read < last:
            more = await self._log.rest(room, log, read + 1, last)
            if more is None:
                return None
            entries += tuple(more)
        mark = Mark(log, last, Stamp(writer.decode(), number) if last else None)
        return Snapshot(StoredRoom(checkpoint, tuple(one.entry for one in entries)), mark, known)

    async def _compacted(self, room: RoomId, identity: bytes) -> bool:
        """Whether the room has another checkpoint than this, or is not there any more."""
        with self._rooms.link.failures():
            now = await self._rooms.link.client.hget(self._rooms.key(room, "meta"), "cpid")
        return bool((now or b"") != identity)


def _packed(checkpoint: Checkpoint) -> bytes:
    parts: tuple[object, ...] = (checkpoint.state, checkpoint.pending)
    if checkpoint.attribution:
        # Versions before this one read two parts.
        parts = (*parts, checkpoint.attribution)
    packed: bytes = msgpack.packb(parts)
    return packed


def _checkpoint(room: RoomId, seq: int, blob: bytes, size: int, crc: int) -> Checkpoint:
    if len(blob) != size or crc32(blob) != crc:
        raise _damaged(room, f"the checkpoint of entry {seq} does not match its checksum")
    state, pending, *more = msgpack.unpackb(blob)
    return Checkpoint(seq, state, tuple(pending), *more)


def _damaged(room: RoomId, what: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"Room {room!r} in Redis is damaged: {what}. Nothing was changed, and the other rooms are not touched by "
        "it. Restore a backup of Redis, or delete the room."
    )


def _fenced(room: RoomId) -> StoreFenced:
    return StoreFenced(
        f"The log of room {room!r} was not compacted: another node has begun to, or it took too long. It is "
        "compacted again later."
    )
