"""Copies rooms from one store to another and proves that they arrived; ``pairloom migrate`` drives it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Final

from collab.attribution_codec import decode
from collab.compaction import build_checkpoint
from collab.errors import CompactionRefused, StoreError, StoreUnavailable
from collab.history.version import PACKS, PackRef
from collab.ids import RoomId
from collab.limits import MIB
from collab.origin import RestoreOrigin
from collab.ports import Checkpoint, LogEntry, RoomSummary, Store, StoredRoom
from collab.replay import Replay
from server.commands.room_check import RECORD_KINDS
from server.door.bases import PACKS as IMPORT_PACKS
from server.door.bases import pack_kind

_BATCH_BYTES: Final = 4 * MIB
_BATCH_ENTRIES: Final = 500

Records = dict[str, dict[str, bytes]]


class NotCopied(Exception):
    """Raised when a room was not copied; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where rooms are copied to. ``compacting`` is the lock of a shared store; others need none."""

    store: Store
    compacting: Callable[[RoomId], AbstractAsyncContextManager[bool]] = field(default=lambda _: nullcontext(True))


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied of a room."""

    entries: int
    checkpoint: bool
    records: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written to have the room in another store: entries numbered from 1, and the checkpoint of the first
    of them, if the room had one.
    """

    entries: tuple[LogEntry, ...]
    checkpoint: Checkpoint | None


def plan(stored: StoredRoom, summary: RoomSummary) -> Plan:
    """How to write the room anew.

    A store takes a checkpoint in place of entries only, so its state and its waiting updates go first, as
    entries of their own. All others follow as they are, numbered on.
    """
    head: list[LogEntry] = []
    checkpoint = stored.checkpoint
    if checkpoint is not None:
        # The time of what is in the checkpoint: not after what came later.
        at_ms = min([summary.checkpoint_ms or summary.last_change_ms, *(entry.at_ms for entry in stored.entries)])
        head = [
            LogEntry(number, at_ms, RestoreOrigin(), update)
            for number, update in enumerate((checkpoint.state, *checkpoint.pending), 1)
        ]
        checkpoint = replace(checkpoint, seq=len(head))
    rest = [replace(entry, seq=number) for number, entry in enumerate(stored.entries, len(head) + 1)]
    return Plan((*head, *rest), checkpoint)


def differences(source: StoredRoom, target: StoredRoom) -> list[str]:
    """In what two rooms differ, as documents and in their logs, in words.

    Raises CompactionRefused for one that cannot be replayed.
    """
    ours, theirs = build_checkpoint(source), build_checkpoint(target)
    one, other = Replay(), Replay()
    one.apply(ours.state)
    other.apply(theirs.state)
    checks = {
        "state vector": one.state_vector() == other.state_vector(),
        "deletions": one.deleted() == other.deleted(),
        "content": one.content() == other.content(),
        "waiting updates": set(ours.pending) == set(theirs.pending),
        "entries": _bare(source) == _bare(target),
        "authors": decode(ours.attribution) == decode(theirs.attribution),
    }
    return [what for what, equal in checks.items() if not equal]


async def copy_room(source: Store, target: Target, summary: RoomSummary, *, replacing: bool) -> Copied:
    """Writes a room into another store and reads it back. ``replacing`` deletes first what the target has of it.

    Raises NotCopied when it is not the same there; what was written is deleted again. Raises StoreError.
    """
    room = summary.room
    stored = await source.load(room)
    records = await read_records(source, room)
    try:
        # A room that cannot be replayed is found out before anything is written.
        await asyncio.to_thread(build_checkpoint, stored)
    except CompactionRefused as error:
        raise NotCopied(f"{error.message} `pairloom doctor --room {room}` tells more.") from error
    planned = plan(stored, summary)
    if replacing:
        await target.store.delete(room)
    try:
        await _write(target, room, planned, records)
        await _verify(target.store, room, stored, records)
    except (StoreError, NotCopied):
        await target.store.delete(room)
        raise
    return Copied(
        len(stored.entries),
        stored.checkpoint is not None,
        sum(map(len, records.values())),
        summary.stored_bytes,
    )


async def read_records(store: Store, room: RoomId) -> Records:
    """All records of a room, by kind and key."""
    records = {kind: await store.records(room, kind) for kind in RECORD_KINDS}
    for kind in sorted({PackRef.from_bytes(key, data).kind for key, data in records[PACKS].items()}):
        records[kind] = await store.records(room, kind)
    for kind in map(pack_kind, sorted(records[IMPORT_PACKS])):
        records[kind] = await store.records(room, kind)
    return records


async def _write(target: Target, room: RoomId, planned: Plan, records: Records) -> None:
    for batch in _batches(planned.entries):
        await target.store.append([(room, entry) for entry in batch])
        if planned.checkpoint is not None and batch[0].seq <= planned.checkpoint.seq <= batch[-1].seq:
            async with target.compacting(room) as held:
                if not held:
                    raise StoreUnavailable(f"Another node is compacting room {room!r}; try again in a moment.")
                await target.store.compact(room, planned.checkpoint)
    for kind, values in records.items():
        for key, value in values.items():
            await target.store.put_record(room, kind, key, value)


async def _verify(target: Store, room: RoomId, stored: StoredRoom, records: Records) -> None:
    arrived = await target.load(room)
    try:
        found = await asyncio.to_thread(differences, stored, arrived)
    except CompactionRefused as error:
        raise NotCopied(f"What was written cannot be read back: {error.message}") from error
    if await read_records(target, room) != records:
        found.append("records")
    if found:
        raise NotCopied(
            f"The copy differs in its {' and '.join(found)}, so it was deleted again. Try once more; if it "
            "stays so, see what `pairloom doctor` says of the room."
        )


def _batches(entries: Sequence[LogEntry]) -> Iterator[list[LogEntry]]:
    batch: list[LogEntry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += len(entry.update)
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_ENTRIES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _bare(stored: StoredRoom) -> list[LogEntry]:
    """The entries without their numbers, which count from somewhere else."""
    return [replace(entry, seq=0) for entry in stored.entries]
