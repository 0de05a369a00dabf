"""A listener of a bus that remembers what it was told, and waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from collab.ids import NodeId, RoomId
from collab.shared import SharedEntry


class Heard:
    """Implements ``collab.shared.BusListener``. What was told is in ``all``, and by kind in the other lists."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self.updates: list[tuple[RoomId, str, int, bytes]] = []
        self.messages: list[tuple[RoomId, NodeId, bytes]] = []
        self.directs: list[tuple[NodeId, bytes]] = []
        self.reasons: list[str] = []
        self._told = asyncio.Event()

    def entries(self, room: RoomId, log: str, entries: Sequence[SharedEntry]) -> None:
        self.updates += [(room, log, one.entry.seq, one.entry.update) for one in entries]
        self._tell("entries")

    def message(self, room: RoomId, node: NodeId, payload: bytes) -> None:
        self.messages.append((room, node, payload))
        self._tell("message")

    def direct(self, node: NodeId, payload: bytes) -> None:
        self.directs.append((node, payload))
        self._tell("direct")

    def renewed(self) -> None:
        self._tell("renewed")

    def down(self, reason: str) -> None:
        self.reasons.append(reason)
        self._tell("down")

    async def until(self, true: Callable[[], bool], timeout: float = 10.0) -> None:
        """Waits until this holds; it is asked again after everything that is told."""
        async with asyncio.timeout(timeout):
            while not true():
                self._told.clear()
                await self._told.wait()

    def _tell(self, kind: str) -> None:
        self.all.append(kind)
        self._told.set()
