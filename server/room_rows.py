"""The list of rooms: what is stored, who is in them, and on which nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collab.ids import RoomId
from collab.ports import RoomSummary, Store
from server.cluster import Cluster


@dataclass(frozen=True, slots=True)
class RoomRow:
    """One row of the list of rooms. Sizes in bytes of what is stored."""

    room: RoomId
    stored_bytes: int
    last_change_ms: int
    connections: int
    log_entries: int = 0
    """Edits since the last checkpoint."""
    checkpoint_ms: int = 0
    """The time of the newest edit that the last checkpoint holds; 0 without one."""
    nodes: tuple[str, ...] = ()
    """What the processes that hold the room are called; empty where there is only one."""


async def list_rooms(store: Store, here: Mapping[RoomId, int], cluster: Cluster | None) -> list[RoomRow]:
    """All rooms that are stored or open, by name. ``here``: the connections of those that this process has open.

    Raises StoreError.
    """
    stored = {row.room: row for row in await store.rooms()}
    counts = here if cluster is None else await cluster.connection_counts()
    names = sorted({*stored, *counts})
    nodes = {} if cluster is None else await cluster.nodes_of(names)
    return [
        RoomRow(
            room,
            row.stored_bytes,
            row.last_change_ms,
            counts.get(room, 0),
            row.log_entries,
            row.checkpoint_ms,
            nodes.get(room, ()),
        )
        for room in names
        for row in [stored.get(room) or RoomSummary(room, 0, 0, 0)]
    ]
