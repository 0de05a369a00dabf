"""The logs of rooms in Redis: writing entries, reading what comes after a mark, bringing back what was lost."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgpack

from collab.errors import StoreCorrupt, StoreError
from collab.ids import RoomId
from collab.io.redis_rooms import RedisRooms
from collab.io.redis_wire import pack, pack_entry, unpack_entries
from collab.ports import LogEntry
from collab.shared import Commit, CommitState, Committed, Mark, SharedEntry, Tail

TAIL_BYTES: Final = 1024 * 1024
"""How much a room's tail brings at most along with those of other rooms; more is read on its own."""
READ_BYTES: Final = 4 * 1024 * 1024
INDEXED_MOST: Final = 100_000
_SAME: Final[dict[int, bool | None]] = {1: True, 0: False, -1: None}


class RedisLog:
    """Everything about entries. The names of its methods are those of SharedStore."""

    def __init__(self, rooms: RedisRooms, writer: str) -> None:
        self._rooms: Final = rooms
        self.writer: Final = writer
        self._indexed: set[RoomId] = set()

    async def commit(self, commits: Sequence[Commit]) -> list[Committed]:
        """See SharedStore.commit."""
        answers: list[Committed] = []
        for some in _rooms_once(commits):
            rooms = [one.room for one in some]
            blobs = [self._pack(one.mark, one.entries) for one in some]
            found = await self._rooms.each("commit", rooms, self._how(strict=False), blobs)
            answers += [_committed(one, answer) for one, answer in zip(some, found, strict=True)]
        await self.list_in_index([one.room for one, done in zip(commits, answers, strict=True) if done.count])
        return answers

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """See Store.append. In a Cluster all or none of each room's entries are stored, the rooms one by one.

        Raises StoreError for an entry that would leave a gap.
        """
        self._rooms.check_open()
        by_room: dict[RoomId, list[LogEntry]] = {}
        for room, entry in entries:
            by_room.setdefault(room, []).append(entry)
        names = list(by_room)
        groups = [[name] for name in names] if self._rooms.clustered else [names] if names else []
        for group in groups:
            blobs = [self._pack(Mark(), by_room[room]) for room in group]
            keys = [self._rooms.key(room, "").removesuffix(":") for room in group]
            packed = await self._rooms.on("commit", keys, [*self._how(strict=True), *blobs])
            answer = msgpack.unpackb(packed, raw=True)
            if answer[0] == b"gap":
                _, which, number, last = answer
                raise StoreError(
                    f"Entry {number} of room {group[which - 1]!r} cannot follow entry {last}: append in order, "
                    "without gaps."
                )
        await self.list_in_index(names)

    async def restore(
        self, room: RoomId, seen: Mark, updates: Sequence[LogEntry], through: int, *, rename: bool
    ) -> Committed:
        """See SharedStore.restore. All updates go in one call."""
        flat: list[object] = []
        for entry in updates:
            flat += (entry.seq, entry.at_ms, len(entry.update), pack_entry(self.writer, entry))
        args = [self.writer, self._rooms.sharded, self._rooms.index_in_scripts, fresh_identity()]
        packed = await self._rooms.run("restore", room, [*args, pack((*_plain(seen), rename, through, flat))])
        done = _committed(Commit(room, seen, tuple(updates)), msgpack.unpackb(packed, raw=True))
        if done.state is CommitState.STORED:
            await self.list_in_index([room])
        return done

    async def tails(self, marks: Sequence[tuple[RoomId, Mark]]) -> list[Tail]:
        """See SharedStore.tails."""
        rooms = [room for room, _ in marks]
        blobs = [pack(_plain(mark)) for _, mark in marks]
        found = await self._rooms.each("tails", rooms, [TAIL_BYTES], blobs)
        tails = [await self._tail(room, mark, *answer) for (room, mark), answer in zip(marks, found, strict=True)]
        await self.list_in_index([room for room, tail in zip(rooms, tails, strict=True) if tail.log])
        return tails

    async def rest(self, room: RoomId, log: str, first: int, last: int) -> list[SharedEntry] | None:
        """The entries from one position to another, in as many steps as needed.

        None when some of them are not there any more: they are part of a checkpoint now, or the log is
        another one or shorter. Raises StoreCorrupt for a hole.
        """
        entries: list[SharedEntry] = []
        while first <= last:
            packed = await self._rooms.run("read", room, [log, first, last, READ_BYTES])
            some = msgpack.unpackb(packed, raw=True)
            if some is False:
                return None
            if not some:
                raise hole(room, first)
            entries += unpack_entries(first, some)
            first += len(some)
        return entries

    async def list_in_index(self, rooms: Sequence[RoomId]) -> None:
        """Sees to it that these stored rooms are in the list of rooms, in a Cluster where scripts cannot.

        A process does it for each room that it writes or reads, once: so the list is whole again soon after
        it was lost.
        """
        if not self._rooms.clustered:
            return
        new = [room for room in rooms if room not in self._indexed]
        if not new:
            return
        if len(self._indexed) > INDEXED_MOST:
            self._indexed.clear()
        with self._rooms.link.failures():
            await self._rooms.link.client.zadd(self._rooms.index, dict.fromkeys(new, 0))
        self._indexed.update(new)

    def forget_in_index(self, room: RoomId | None) -> None:
        """The room (None: every room) may not be in the list any more."""
        if room is None:
            self._indexed.clear()
        else:
            self._indexed.discard(room)

    async def _tail(
        self,
        room: RoomId,
        mark: Mark,
        same: int,
        log: bytes,
        last: int,
        deleted: bool,
        packed: Sequence[bytes],
    ) -> Tail:
        name = log.decode()
        if not packed:
            if same == 1 and mark.position < last:
                raise hole(room, mark.position + 1)
            return Tail(name, last, _SAME[same], deleted=deleted)
        entries = unpack_entries(mark.position + 1, packed)
        read = mark.position + len(entries)
        if read < last:
            rest = await self.rest(room, name, read + 1, last)
            if rest is None:
                # Somebody has compacted the room meanwhile.
                return Tail(name, last, None)
            entries += tuple(rest)
        return Tail(name, last, same=True, entries=entries)

    def _how(self, *, strict: bool) -> list[str]:
        rooms = self._rooms
        return [self.writer, "1" if strict else "0", rooms.sharded, rooms.index_in_scripts, fresh_identity()]

    def _pack(self, mark: Mark, entries: Sequence[LogEntry]) -> bytes:
        flat: list[object] = []
        for entry in entries:
            packed = pack_entry(self.writer, entry)
            flat += (entry.seq, entry.fence, entry.at_ms, len(entry.update), packed)
        return pack((*_plain(mark), flat))


def fresh_identity() -> str:
    """A name that nothing has had before."""
    return secrets.token_hex(8)


def _plain(mark: Mark) -> tuple[str, int, str, int]:
    stamp = mark.stamp
    return (mark.log, mark.position, stamp.writer, stamp.number) if stamp else (mark.log, mark.position, "", 0)


def _committed(asked: Commit, answer: Sequence[Any]) -> Committed:
    state, log = CommitState(answer[0].decode()), answer[1].decode()
    if state is not CommitState.STORED:
        return Committed(state, log, peers=answer[2])
    _, _, first, count, peers, refused, *numbers = answer
    if numbers and numbers[0] is not None:
        taken = tuple(numbers[0])
    else:
        taken = tuple(entry.seq for entry in asked.entries)
    return Committed(state, log, first, count, taken, tuple(refused), peers)


def _rooms_once(commits: Sequence[Commit]) -> list[list[Commit]]:
    """The commits in order, in lists that have no room twice: a script judges all before it writes."""
    lists: list[list[Commit]] = []
    seen: set[RoomId] = set()
    for one in commits:
        if not lists or one.room in seen:
            lists.append([])
            seen = set()
        lists[-1].append(one)
        seen.add(one.room)
    return lists


def hole(room: RoomId, position: int) -> StoreCorrupt:
    """The error for an entry that should be there."""
    return StoreCorrupt(
        f"Entry {position} of room {room!r} is missing in Redis. Restore a backup, or delete the room."
    )
