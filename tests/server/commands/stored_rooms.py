"""Rooms with everything that a store keeps of one: a checkpoint, entries after it, a waiting update, records."""

from __future__ import annotations

from collab.compaction import build_checkpoint
from collab.ids import ClientId, ConnectionId, JobId, PersonId, RoomId
from collab.origin import JobOrigin, Origin, PersonOrigin
from collab.ports import LogEntry, Store
from server.owners import KEY, write_owners
from server.owners import KIND as OWNERS
from tests.collab.replicas import Replica, replica_with_file

ROOM = RoomId("team/project")
ANNA = PersonOrigin(PersonId("p1"), ConnectionId("c1"))
JOB = JobOrigin(JobId("j1"), PersonId("p1"))
AT_MS = 1_700_000_000_000


def edits(count: int, client: int = 1) -> list[bytes]:
    """So many updates that follow each other; the first makes a file."""
    replica = replica_with_file(client)
    for number in range(count - 1):
        replica.insert(0, f"{number} é👋🏽\n")
    return replica.sent


def waiting_update() -> bytes:
    """An edit that builds on one that nobody has."""
    other = Replica(7)
    other.create(file="f7", path="other.txt")
    return other.insert(0, "lost", file="f7")


def entries(updates: list[bytes], first: int = 1, origin: Origin = ANNA) -> list[LogEntry]:
    return [LogEntry(seq, AT_MS + seq, origin, update) for seq, update in enumerate(updates, first)]


async def fill(store: Store, room: RoomId = ROOM) -> None:
    """A room with a checkpoint, which has a waiting update, with entries after it, and with records."""
    updates = edits(30)
    await store.append([(room, entry) for entry in entries([*updates[:20], waiting_update()])])
    await store.compact(room, build_checkpoint(await store.load(room)))
    await store.append([(room, entry) for entry in entries(updates[20:], 22, JOB)])
    await store.put_record(room, OWNERS, KEY, write_owners({ClientId(1): PersonId("p1")}))
    await store.put_record(room, "open_hunk", "j1", b"\x00anything")
