"""One room as the twin of the shared store keeps it: values, and what each command makes of them.

A command takes a room as it is and gives the room as it is afterwards; nothing is changed in place. So a world
of rooms can go back to what it was, as a Redis that lost its last seconds does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from collab.errors import StoreError, StoreFenced
from collab.ids import NodeId, RoomId
from collab.ports import Checkpoint, LogEntry, RoomSummary, StoredRoom
from collab.shared import Commit, CommitState, Committed, Keep, Mark, SharedEntry, Snapshot, Stamp, Tail


@dataclass(frozen=True, slots=True)
class Lock:
    """Who may compact: its token, and until when (the world's seconds)."""

    token: int
    until: float


@dataclass(frozen=True, slots=True)
class MemoryRoom:
    """All that is stored of a room. ``numbers`` has the last number of each writer in the log."""

    log: str = ""
    entries: tuple[SharedEntry, ...] = ()
    checkpoint: Checkpoint | None = None
    covered: Stamp | None = None
    """The stamp of the last entry that is part of the checkpoint."""
    checkpoint_ms: int = 0
    numbers: Mapping[str, int] = field(default_factory=dict)
    refused: frozenset[tuple[str, int]] = frozenset()
    """Writers and numbers of entries whose fence was not the newest."""
    records: Mapping[tuple[str, str], bytes] = field(default_factory=dict)
    puts: Mapping[tuple[str, str], Stamp] = field(default_factory=dict)
    """Which call stored or forgot each record last."""
    changed_ms: int = 0
    deleted: frozenset[str] = frozenset()
    """The identities of logs that were deleted."""
    nodes: tuple[NodeId, ...] = ()
    keep: Keep | None = None
    token: int = 0
    """The newest token of a keeper."""
    lock: Lock | None = None
    locks: int = 0
    """The newest token of a compaction."""

    @property
    def last(self) -> int:
        """The position of the last entry."""
        if self.entries:
            return self.entries[-1].entry.seq
        return self.checkpoint.seq if self.checkpoint else 0

    @property
    def stored(self) -> bool:
        """Whether there is anything that the list of rooms should show."""
        return bool(self.log or self.records)

    def stamp_at(self, position: int) -> Stamp | None:
        """The stamp of the entry at a position; None where it is not known."""
        start = self.checkpoint.seq if self.checkpoint else 0
        if position == start:
            return self.covered
        at = position - start - 1
        return self.entries[at].stamp if 0 <= at < len(self.entries) else None

    def load(self) -> StoredRoom:
        """What a store loads."""
        return StoredRoom(self.checkpoint, tuple(shared.entry for shared in self.entries))

    def snapshot(self, writer: str) -> Snapshot:
        """What is stored, with its mark."""
        mark = Mark(self.log, self.last, self.stamp_at(self.last))
        return Snapshot(self.load(), mark, self.numbers.get(writer, 0))

    def has_lost(self, position: int, stamp: Stamp | None) -> bool:
        """Whether the entry at a position is surely not the one with this stamp."""
        if position > self.last:
            return True
        start = self.checkpoint.seq if self.checkpoint else 0
        return position >= start and self.stamp_at(position) != stamp

    def shows(self, mark: Mark) -> bool:
        """Whether the log has the entry of a mark at its position; not where that cannot be told (any more)."""
        if mark.position > self.last:
            return False
        return not mark.position or mark.stamp is None or mark.stamp == self.stamp_at(mark.position)


def peers_of(room: MemoryRoom, writer: str) -> int:
    """How many nodes hold the room that are not this writer's: a node's id is ``<writer>.<number>``."""
    return sum(1 for node in room.nodes if node.rpartition(".")[0] != writer)


def commit(
    room: MemoryRoom, writer: str, given: Commit, fresh: str
) -> tuple[MemoryRoom, Committed, tuple[SharedEntry, ...]]:
    """See SharedStore.commit; also the entries to announce. ``fresh`` names a log that begins."""
    mark = given.mark
    peers = peers_of(room, writer)
    if mark.log and mark.log in room.deleted:
        return room, Committed(CommitState.DELETED, room.log, peers=peers), ()
    behind = room, Committed(CommitState.BEHIND, room.log, peers=peers), ()
    if (mark.log and mark.log != room.log) or not room.shows(mark):
        return behind
    through, last = room.numbers.get(writer, 0), room.last
    taken: list[LogEntry] = []
    refused: list[int] = []
    for entry in given.entries:
        if entry.seq > max(through, last) + 1:
            # What came before it was lost.
            return behind
        if entry.fence and entry.fence < room.token:
            # One whose refusal was not heard of is refused again; one that was stored in time counts as stored.
            if entry.seq > through or (writer, entry.seq) in room.refused:
                refused.append(entry.seq)
        elif entry.seq > through:
            taken.append(entry)
            last += 1
        through = max(through, entry.seq)
    room, added = append(room, writer, taken, fresh)
    if through != room.numbers.get(writer, 0) or refused:
        room = replace(
            room,
            numbers={**room.numbers, writer: through},
            refused=room.refused | {(writer, number) for number in refused},
        )
    return room, _committed(room, added, tuple(refused), peers), added


def append(
    room: MemoryRoom, writer: str, entries: Sequence[LogEntry], fresh: str
) -> tuple[MemoryRoom, tuple[SharedEntry, ...]]:
    """The room with these entries at the end of its log, under their writer's numbers; the entries there."""
    if not entries:
        return room, ()
    first = room.last + 1
    added = tuple(
        SharedEntry(replace(entry, seq=first + index, fence=0), Stamp(writer, entry.seq))
        for index, entry in enumerate(entries)
    )
    number = max(room.numbers.get(writer, 0), entries[-1].seq)
    return replace(
        room,
        log=room.log or fresh,
        entries=(*room.entries, *added),
        numbers={**room.numbers, writer: number},
        changed_ms=max([room.changed_ms, *(entry.at_ms for entry in entries)]),
    ), added


def restore(
    room: MemoryRoom,
    writer: str,
    seen: Mark,
    updates: Sequence[LogEntry],
    through: int,
    fresh: str,
    *,
    rename: bool,
) -> tuple[MemoryRoom, Committed, tuple[SharedEntry, ...]]:
    """See SharedStore.restore."""
    peers = peers_of(room, writer)
    if seen.log and seen.log in room.deleted:
        return room, Committed(CommitState.DELETED, room.log, peers=peers), ()
    if room.log != seen.log or not room.shows(seen):
        return room, Committed(CommitState.BEHIND, room.log, peers=peers), ()
    if rename and room.log:
        room = replace(room, log=fresh)
    room, added = append(room, writer, updates, fresh)
    number = max(room.numbers.get(writer, 0), through)
    room = replace(room, log=room.log or fresh, numbers={**room.numbers, writer: number})
    return room, _committed(room, added, (), peers), added


def tail(room: MemoryRoom, mark: Mark) -> Tail:
    """See SharedStore.tails."""
    deleted = bool(mark.log) and mark.log in room.deleted
    if mark.log and mark.log != room.log:
        return Tail(room.log, room.last, same=False, deleted=deleted)
    if room.has_lost(mark.position, mark.stamp):
        return Tail(room.log, room.last, same=False)
    start = room.checkpoint.seq if room.checkpoint else 0
    if mark.position < start:
        return Tail(room.log, room.last, same=None)
    return Tail(room.log, room.last, same=True, entries=room.entries[mark.position - start :])


def compact(name: RoomId, room: MemoryRoom, checkpoint: Checkpoint, now_ms: int) -> MemoryRoom:
    """See Store.compact. Raises StoreError for a checkpoint of entries that are not stored."""
    if checkpoint.seq > room.last:
        raise StoreError(
            f"The checkpoint of room {name!r} covers entry {checkpoint.seq}, but only {room.last} are stored. "
            "Make it from what the store loads."
        )
    start = room.checkpoint.seq if room.checkpoint else 0
    if start > checkpoint.seq:
        return room
    return replace(
        room,
        checkpoint=checkpoint,
        covered=room.stamp_at(checkpoint.seq),
        checkpoint_ms=now_ms,
        entries=room.entries[checkpoint.seq - start :],
    )


def delete(room: MemoryRoom) -> MemoryRoom:
    """The room without all that was in it; the nodes in it find out by its log's identity."""
    gone = room.deleted | {room.log} if room.log else room.deleted
    return MemoryRoom(deleted=gone, nodes=room.nodes, token=room.token, locks=room.locks)


def put_record(
    name: RoomId, room: MemoryRoom, kind: str, key: str, value: bytes | None, fence: int, call: Stamp
) -> MemoryRoom:
    """See Store.put_record. A ``call`` that the same writer made before its last one for this record comes late,
    and changes nothing. Raises StoreFenced.
    """
    if fence and fence < room.token:
        raise StoreFenced(
            f"The {kind} {key!r} of room {name!r} was not stored: another node keeps its jobs now. Ask that one."
        )
    last = room.puts.get((kind, key))
    if last is not None and last.writer == call.writer and last.number > call.number:
        return room
    records = {place: old for place, old in room.records.items() if place != (kind, key)}
    if value is not None:
        records[kind, key] = value
    return replace(room, records=records, puts={**room.puts, (kind, key): call})


def claim(room: MemoryRoom, node: NodeId, dead: Sequence[NodeId], now_ms: int) -> MemoryRoom:
    """See SharedStore.claim. A token is never below the time: one that was lost does not come again."""
    keep = room.keep
    if keep is not None and (keep.node == node or keep.node not in dead):
        return room
    token = max(room.token + 1, now_ms)
    return replace(room, keep=Keep(node, token), token=token)


def leave(room: MemoryRoom, nodes: Sequence[NodeId]) -> MemoryRoom:
    """See SharedStore.leave."""
    return replace(room, nodes=tuple(node for node in room.nodes if node not in nodes))


def summary(name: RoomId, room: MemoryRoom) -> RoomSummary:
    """Its row in the list of rooms."""
    size = sum(len(shared.entry.update) for shared in room.entries)
    size += sum(len(value) for value in room.records.values())
    if room.checkpoint is not None:
        one = room.checkpoint
        size += len(one.state) + sum(map(len, one.pending)) + len(one.attribution)
    return RoomSummary(name, size, len(room.entries), room.changed_ms)


def _committed(
    room: MemoryRoom, added: tuple[SharedEntry, ...], refused: tuple[int, ...], peers: int
) -> Committed:
    first = added[0].entry.seq if added else 0
    numbers = tuple(shared.stamp.number for shared in added)
    return Committed(CommitState.STORED, room.log, first, len(added), numbers, refused, peers)
