"""The twin in memory of the bus: one process's connection to what the others publish."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from collab.ids import NodeId, RoomId
from collab.shared import BusListener, SharedEntry
from collab.shared_memory_world import World


class MemoryBus:
    """Implements ``collab.shared.Bus``."""

    def __init__(self, world: World, writer: str) -> None:
        self._world: Final = world
        self._writer: Final = writer
        self._node = NodeId("")
        self._listener: BusListener | None = None
        self._rooms: set[RoomId] = set()
        self._connected = False
        self._connections = 0

    def running(self, node: NodeId, listener: BusListener) -> AbstractAsyncContextManager[None]:
        """See Bus.running."""
        return self._running(node, listener)

    @asynccontextmanager
    async def _running(self, node: NodeId, listener: BusListener) -> AsyncIterator[None]:
        self._node = node
        self._listener = listener
        self._connected = self._world.reachable(self._writer)
        self._world.connect(self._writer, self)
        try:
            yield
        finally:
            self._world.disconnect(self._writer, self)
            self._listener = None
            self._rooms.clear()

    def rename(self, node: NodeId) -> None:
        """See Bus.rename."""
        self._node = node

    async def subscribe(self, room: RoomId) -> None:
        """See Bus.subscribe."""
        await self._world.ask(self._writer, "subscribe", lambda: self._rooms.add(room))

    async def unsubscribe(self, room: RoomId) -> None:
        """See Bus.unsubscribe."""
        self._rooms.discard(room)

    def publish(self, room: RoomId, payload: bytes) -> None:
        """See Bus.publish."""
        if self._connected:
            for bus in self._world.others(self._writer):
                bus.message(self._writer, room, self._node, payload)

    def send(self, node: NodeId, payload: bytes) -> None:
        """See Bus.send."""
        if self._connected:
            for bus in self._world.others(self._writer):
                bus.direct(self._writer, self._node, node, payload)

    # What the world calls

    def reached(self, *, reachable: bool) -> None:
        """The connection is lost, or there again."""
        if reachable == self._connected:
            return
        self._connected = reachable
        self._connections += 1
        if reachable:
            self._carry("renewed", self._writer, lambda listener: listener.renewed())
        else:
            reason = "The connection to the shared store is lost."
            self._carry("down", self._writer, lambda listener: listener.down(reason))

    def entries(self, source: str, room: RoomId, log: str, entries: tuple[SharedEntry, ...]) -> None:
        """Another process's entries are stored."""
        if room in self._rooms:
            self._carry("entries", source, lambda listener: listener.entries(room, log, entries))

    def message(self, source: str, room: RoomId, node: NodeId, payload: bytes) -> None:
        """Another process has published something."""
        if room in self._rooms:
            self._carry("message", source, lambda listener: listener.message(room, node, payload))

    def direct(self, source: str, sender: NodeId, target: NodeId, payload: bytes) -> None:
        """Another process sends something to a node."""
        if target == self._node:
            self._carry("direct", source, lambda listener: listener.direct(sender, payload))

    def _carry(self, kind: str, source: str, tell: Callable[[BusListener], None]) -> None:
        if not self._connected and kind != "down":
            return
        connection = self._connections

        def deliver() -> None:
            # What was under way on a connection is lost with it.
            if self._listener is not None and connection == self._connections:
                tell(self._listener)

        self._world.network.carry(source, self._writer, kind, deliver)
