"""One room's tie to the other nodes: the replica of its log, who else holds it, and what is said over the bus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from collab.document import Document
from collab.errors import CollabError, StoreBehind, StoreError, TryLater
from collab.ids import ClientId, NodeId, Random, RoomId, client_id
from collab.origin import RestoreOrigin
from collab.ports import Clock, LogEntry, StoredRoom
from collab.presence import NodeState, RemoteHolder
from collab.replica import Replica
from collab.shared import Bus, CommitState, Mark, SharedEntry, SharedStore
from collab.waiting import integrated
from generation.event_codec import decode_event
from generation.events import GenerationEvent
from server.bus_messages import (
    BusMessage,
    Bye,
    Compacted,
    Happened,
    Hello,
    Holding,
    People,
    Probe,
    Said,
    pack,
)
from server.messages.events import EVENTS

if TYPE_CHECKING:
    from server.host import RoomHost

CATCH_UP_ATTEMPTS: Final = 5
RESYNC_ATTEMPTS: Final = 5

logger = logging.getLogger(__name__)


class RoomLink:
    """Made before the room is loaded, so that nothing is missed between reading its log and serving it."""

    def __init__(
        self,
        room: RoomId,
        store: SharedStore,
        bus: Bus,
        clock: Clock,
        random: Random,
        on_due: Callable[[], None],
        read: Callable[[Sequence[RoomLink]], Awaitable[None]],
        on_restored: Callable[[RoomId], None],
        on_overheard: Callable[[RoomId, GenerationEvent], None],
    ) -> None:
        self.room = room
        self.replica: Replica | None = None
        self.host: RoomHost | None = None
        self.left = False
        """The room was unloaded."""
        self.nodes: dict[NodeId, float] = {}
        """Other nodes that hold the room, and when they were last heard of in it."""
        self._store = store
        self._bus = bus
        self._clock = clock
        self._random = random
        self._on_due = on_due
        self._read = read
        self._on_restored = on_restored
        self._on_overheard = on_overheard
        self._early: list[Callable[[], None]] = []
        self._resyncing = asyncio.Lock()

    # Loading

    def loaded(self, mark: Mark) -> None:
        """The log was read up to here."""
        self.replica = Replica(self._store.writer, mark)

    def attach(self, host: RoomHost) -> None:
        """The room is there: it gets what has come meanwhile."""
        self.host = host
        self._settle_nodes()
        early, self._early = self._early, []
        for call in early:
            call()

    # From the bus

    def entries(self, log: str, entries: Sequence[SharedEntry]) -> None:
        """Another node's entries."""
        if self.host is None or self.replica is None:
            self._early.append(lambda: self.entries(log, entries))
            return
        self.host.follow(self.replica.arrived(log, entries, self._clock.monotonic()))
        if self.replica.due_at is not None or self.replica.due(self._clock.monotonic()):
            self._on_due()

    def take(self, node: NodeId, message: BusMessage) -> None:
        """Another node has said something in the room."""
        match message:
            case Hello():
                self.heard(node)
                self.show(full=True)
            case Bye():
                self.gone(node)
            case People(full=full):
                self.people(node, message.node_states(), full=full)
            case Happened(event=event):
                self._happened(event)
            case Said(message=said):
                self._said(said)
            case Compacted(position=position, size=size):
                if self.host is not None and self.replica is not None:
                    self.host.log.replaced(position, self.replica.position, size)

    def people(self, node: NodeId, states: list[NodeState], *, full: bool) -> None:
        """Who is here over another node."""
        if self.host is None:
            self._early.append(lambda: self.people(node, states, full=full))
            return
        self.heard(node)
        for moved in self.host.state.presence.remote(node, states, self._clock.monotonic(), full=full):
            self.host.probe(moved)
        self.host.schedule()

    def heard(self, node: NodeId) -> None:
        """Another node holds the room."""
        fresh = node not in self.nodes
        self.nodes[node] = self._clock.monotonic()
        if fresh:
            self._settle_nodes()

    def listed(self, node: NodeId) -> None:
        """Another node is on the room's list, which may be wrong: it does not count as heard of each time."""
        if node not in self.nodes:
            self.heard(node)

    def gone(self, node: NodeId) -> None:
        """Another node does not hold the room any more."""
        if self.nodes.pop(node, None) is not None:
            self._settle_nodes()
        if self.host is None:
            self._early.append(lambda: self.gone(node))
            return
        self.host.state.presence.drop_node(node, self._clock.monotonic())
        self.host.schedule()

    def _happened(self, data: bytes) -> None:
        try:
            event = decode_event(data)
        except CollabError as error:
            logger.warning(error.message)
            return
        if self.host is not None:
            self.host.hear(event)
        self._on_overheard(self.room, event)

    def _said(self, data: bytes) -> None:
        try:
            message = EVENTS.validate_json(data)
        except ValidationError as error:
            logger.warning("a message of another node cannot be read: %d problems", error.error_count())
            return
        if self.host is not None:
            self.host.said(message)

    # To the bus

    @property
    def shared(self) -> bool:
        """Whether another node holds the room, as far as this one knows."""
        return bool(self.nodes)

    def tell(self, message: BusMessage) -> None:
        """Tells all other nodes in the room."""
        self._bus.publish(self.room, pack(message))

    def announce(self, event: bytes) -> None:
        """Has people on other nodes hear of an event."""
        if self.shared:
            self.tell(Happened(event))

    def show(self, *, full: bool) -> None:
        """Tells the other nodes who is here over this one: all, or what has changed."""
        if self.host is None:
            return
        presence = self.host.state.presence
        changed = presence.outgoing()
        if full:
            self.tell(People.of(presence.own(), full=True))
        elif changed:
            self.tell(People.of(changed, full=False))

    def probe(self, rival: RemoteHolder) -> None:
        """Asks another node whether its connection with a client id is still there."""
        self._bus.send(rival.node, pack(Probe(self.room, rival.client)))

    def ask_whether_held(self, node: NodeId) -> None:
        """Asks another node, which is silent here, whether it holds the room at all."""
        self._bus.send(node, pack(Holding(self.room)))

    def probed(self, client: ClientId) -> None:
        """Another node asks that."""
        if self.host is not None:
            holder = self.host.state.presence.holder_of(client)
            if holder is not None:
                self.host.probe(holder)

    # When something may be missing

    async def caught_up(self) -> None:
        """Returns when this node has all that the log had at the call. Raises StoreError, TryLater."""
        for _ in range(CATCH_UP_ATTEMPTS):
            await self._read([self])
            if self.replica is None or self.left or not self.replica.due(self._clock.monotonic()):
                return
        raise TryLater("The room's log changes faster than it can be read; try again in a moment.")

    async def resync(self, before: Mark | None = None) -> None:
        """Brings this node and the log together by what each of them has. Raises StoreError.

        ``before`` is the mark that was found wrong; nothing is done when that has been put right meanwhile.
        """
        async with self._resyncing:
            for _ in range(RESYNC_ATTEMPTS):
                replica, host = self.replica, self.host
                if replica is None or host is None or (before is not None and before.log != replica.log):
                    return
                if await self._bring_together(replica, host):
                    self._on_due()
                    return
            raise StoreBehind(f"The log of room {self.room!r} changes faster than it can be compared.")

    async def _bring_together(self, replica: Replica, host: RoomHost) -> bool:
        """One attempt; False when the log is not the one that was read by the time that it is written to."""
        snapshot = await self._store.snapshot(self.room)
        if host.retired:
            return True
        stored = snapshot.stored
        known = RestoreOrigin(stored.checkpoint.attribution if stored.checkpoint is not None else b"")
        host.follow([LogEntry(0, 0, known, update) for update in _checkpoint(stored)])
        host.follow(stored.entries)
        host.flush()
        host.log.loaded(stored)
        lacking = self._lacking(host, stored)
        brought_back = bool(lacking) or not snapshot.mark.log
        through = host.state.seq
        if brought_back:
            logger.warning(
                "the store lacked something of a room; it is brought back",
                extra={"room": self.room, "bytes": sum(map(len, lacking)), "position": snapshot.mark.position},
            )
        now = self._clock.wall_ms()
        whose = host.state.authorship.of(lacking)
        entries = [LogEntry(through, now, RestoreOrigin(whose), update) for update in lacking]
        # Even when all is there, also what is on its way: the log may have lost which numbers that had.
        rename = brought_back and replica.log == snapshot.mark.log
        done = await self._store.restore(self.room, snapshot.mark, entries, through, rename=rename)
        # Only when it is there again is the old mark forgotten: should this fail, it is tried once more.
        if done.state is CommitState.BEHIND:
            return False
        stored_now = done.state is CommitState.STORED
        log = done.log if stored_now else snapshot.mark.log
        replica.resynced(Mark(log, snapshot.mark.position, snapshot.mark.stamp))
        # What comes now moves the mark only when the next look has shown that it holds.
        replica.doubt()
        if stored_now and brought_back:
            replica.committed(done, self._clock.monotonic())
            self._on_restored(self.room)
        return True

    def _lacking(self, host: RoomHost, stored: StoredRoom) -> list[bytes]:
        updates = [*_checkpoint(stored), *(entry.update for entry in stored.entries)]
        copy = Document(client_id(self._random))
        try:
            if stored.checkpoint is not None:
                copy.take(stored.checkpoint.state)
            for update in updates[stored.checkpoint is not None :]:
                copy.apply([update])
            known = set(updates)
            lacking = [one for one in host.state.lacking(copy.state_vector()) if one not in known]
            return [update for update in lacking if _adds(copy, update)]
        finally:
            copy.close()

    def _settle_nodes(self) -> None:
        if self.host is not None:
            self.host.urgent = self.shared
            self.host.state.presence.shared = self.shared

    async def forget_nodes(self, nodes: Sequence[NodeId]) -> None:
        """Nodes that are dead: takes them off the room's list."""
        try:
            await self._store.leave(self.room, nodes)
        except StoreError as error:
            logger.debug("dead nodes stay on a room's list: %s", error.message)


def _checkpoint(stored: StoredRoom) -> list[bytes]:
    return [] if stored.checkpoint is None else [stored.checkpoint.state, *stored.checkpoint.pending]


def _adds(copy: Document, update: bytes) -> bool:
    """Whether an update brings something; one that waits for another does, be it with a deletion alone."""
    try:
        if not integrated(copy, update):
            return True
    except CollabError:
        return False
    return copy.apply([update]).update is not None
