"""Who is in which room over all nodes: each tells its own connections when it is asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import msgpack

from collab.errors import TryLater
from collab.ids import NodeId, RoomId
from collab.shared import SharedStore
from server.lease import Lease
from server.questions import Questions

COUNTS: Final = "counts"
COUNTS_SECONDS: Final = 1.0

logger = logging.getLogger(__name__)


def pack_counts(counts: Mapping[RoomId, int]) -> bytes:
    """What a node answers that is asked for its connections."""
    return bytes(msgpack.packb(dict(counts)))


class Census:
    """Asks the other nodes."""

    def __init__(self, lease: Lease, questions: Questions) -> None:
        self._lease = lease
        self._questions = questions

    async def connections(self, here: Mapping[RoomId, int]) -> dict[RoomId, int]:
        """The connections of each room, those of this node and of all that answer in time."""
        counts = dict(here)
        others = [node for node in self._lease.live if node != self._lease.node]
        for answer in await asyncio.gather(*(self._of(node) for node in others)):
            for room, count in answer.items():
                counts[room] = counts.get(room, 0) + count
        return counts

    async def nodes(self, store: SharedStore, rooms: Sequence[RoomId]) -> dict[RoomId, tuple[str, ...]]:
        """What the live nodes that hold each room are called. Raises StoreError."""
        facts = await store.facts(rooms)
        return {
            room: tuple(sorted(self._lease.name_of(node) for node in known.nodes if node in self._lease.live))
            for room, known in zip(rooms, facts, strict=True)
        }

    async def holders(self, store: SharedStore, room: RoomId) -> list[NodeId]:
        """The other live nodes that hold a room. Raises StoreError."""
        (facts,) = await store.facts([room])
        return [node for node in facts.nodes if node in self._lease.live and node != self._lease.node]

    async def _of(self, node: NodeId) -> dict[RoomId, int]:
        try:
            counts = msgpack.unpackb(await self._questions.ask(node, COUNTS, b"", COUNTS_SECONDS))
            return {RoomId(str(room)): int(count) for room, count in counts.items()}
        except (TryLater, ValueError, TypeError, AttributeError, msgpack.UnpackException) as error:
            logger.warning("a node did not tell its connections: %s", error, extra={"node": node})
            return {}
