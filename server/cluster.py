"""The process among the others that share its rooms: the rooms it holds, and what is said between nodes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final, Protocol

from collab.errors import MalformedMessage, StoreError, TryLater
from collab.ids import ClientId, NodeId, Random, RoomId, short_id
from collab.ports import Clock, StoredRoom
from collab.replica import Replica
from collab.shared import Bus, Committed, Keep, SharedEntry, SharedStore
from generation.events import GenerationEvent
from server.bus_messages import (
    Answer,
    BusMessage,
    Bye,
    Compacted,
    Hello,
    Holding,
    Probe,
    Question,
    pack,
    unpack,
)
from server.census import COUNTS, Census, pack_counts
from server.host import RoomHost
from server.keeping import Keeping
from server.lease import Lease
from server.log_reader import LogReader
from server.membership import Membership
from server.questions import Questions, Topic, answered
from server.room_link import RoomLink
from server.shared_log import SharedLog

DELETED: Final = b"deleted"
JOBS: Final = "jobs"

logger = logging.getLogger(__name__)


class Rooms(Protocol):
    """What the cluster asks of the hub."""

    def room_deleted(self, room: RoomId) -> None:
        """Another node has deleted the room."""
        ...

    def reload(self, room: RoomId, reason: str) -> None:
        """What this node has of the room is not to be served any more; it is loaded anew."""
        ...

    def connection_counts(self) -> dict[RoomId, int]:
        """The connections of each open room of this process."""
        ...


class Cluster:
    """Implements ``generation.sharing.Peers`` and ``collab.shared.BusListener``. Use it inside ``running``."""

    def __init__(
        self,
        open_shared: Callable[[str], AbstractAsyncContextManager[tuple[SharedStore, Bus]]],
        clock: Clock,
        random: Random,
        name: str,
    ) -> None:
        """``open_shared`` gets the name under which this process writes; ``name`` is for people."""
        self._open_shared = open_shared
        self._clock = clock
        self._random = random
        self._writer = short_id(random, "w", 12)
        self._lease = Lease(self._writer, name, clock)
        self._links: dict[RoomId, RoomLink] = {}
        self._numbers: dict[RoomId, int] = {}
        """The last number that this process has used in rooms, where the log may be shorter than that."""
        self._keeping = Keeping(lambda: self.shared, self._lease, self._look, self._keeps_lost)
        self._questions = Questions(self._send, self._lease.name_of)
        self._census = Census(self._lease, self._questions)
        self._topics: dict[str, Topic] = {COUNTS: self._tell_counts}
        self._reader = LogReader(self._links.values, lambda: self.shared, clock, random, self._room_deleted)
        self._membership = Membership(
            self._lease,
            self._links,
            lambda: self.shared,
            clock,
            random,
            self._keeping,
            self._reader,
            self._questions,
            self._renamed,
            self._spawn,
        )
        self.up = True
        """Whether the other nodes can be heard."""
        self._tasks: asyncio.TaskGroup | None = None
        self._rooms: Rooms | None = None
        self._store: SharedStore | None = None
        self._bus: Bus | None = None
        self._log: SharedLog | None = None
        self._lost: Callable[[Sequence[RoomId]], None] = lambda _: None
        self._overheard: Callable[[RoomId, GenerationEvent], None] = lambda _, __: None
        self._restored: Callable[[RoomId], None] = lambda _: None
        self._on_renewed: Callable[[], None] = lambda: None

    def bind(self, rooms: Rooms) -> None:
        """Sets whose rooms these are, before the node starts."""
        self._rooms = rooms

    def on_renewed(self, callback: Callable[[], None]) -> None:
        """Sets what is called when the bus is there again, before the node starts."""
        self._on_renewed = callback

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Joins the cluster. Raises StoreError when the store cannot be had."""
        async with self._open_shared(self._writer) as (store, bus):
            self._store, self._bus = store, bus
            self._log = SharedLog(
                store, self._clock, self._replica, self._resync_room, self._committed, self._room_deleted
            )
            await self._lease.begin(store)
            async with bus.running(self.node, self), asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                work = [tasks.create_task(self._membership.run()), tasks.create_task(self._reader.run())]
                try:
                    yield
                finally:
                    self._tasks = None
                    for task in work:
                        task.cancel()
                    await self._depart()

    async def _depart(self) -> None:
        self._questions.give_up(())
        # A node that cannot say goodbye is missed a few seconds later.
        with suppress(StoreError):
            # First, as whoever hears the goodbye looks at once who is left.
            await self.shared.resign(self.node)
        for link in self._links.values():
            link.tell(Bye())
        with suppress(StoreError):
            for room in list(self._links):
                await self.shared.leave(room, [self.node])

    # For the hub

    @property
    def shared(self) -> SharedStore:
        """The store that all nodes share. Raises TryLater before it is open."""
        if self._store is None:
            raise TryLater("The server is starting; try again in a moment.")
        return self._store

    @property
    def log(self) -> SharedLog:
        """Where this node's writer appends."""
        if self._log is None:
            raise TryLater("The server is starting; try again in a moment.")
        return self._log

    async def enter(self, room: RoomId) -> StoredRoom:
        """Ties a room that is being loaded to the other nodes; what the store has of it. Raises StoreError."""
        store, bus = self.shared, self._bus
        assert bus is not None
        link = RoomLink(
            room,
            store,
            bus,
            self._clock,
            self._random,
            self._reader.wake,
            self._reader.read,
            self._restored,
            self._overhear,
        )
        self._links[room] = link
        try:
            # In this order: what is stored after the log was read is announced to this node.
            await bus.subscribe(room)
            (nodes,) = await store.enter([room], self.node)
            snapshot = await store.snapshot(room)
        except BaseException:
            del self._links[room]
            # It may be on the list by now.
            self._membership.left(room, self.node)
            await bus.unsubscribe(room)
            raise
        for node in nodes:
            if node != self.node:
                link.listed(node)
        link.loaded(snapshot.mark)
        self._numbers[room] = max(self._numbers.get(room, 0), snapshot.number)
        return snapshot.stored

    def attach(self, host: RoomHost) -> None:
        """The room was loaded."""
        room = host.room
        link = self._links[room]
        host.link = link
        host.keep = lambda: self.keep(room)
        # A number that this process has used before would be taken for the entry that had it then.
        host.state.seq = host.state.durable_seq = max(host.state.seq, self._numbers.pop(room, 0))
        link.attach(host)
        if link.shared:
            link.tell(Hello())
            # Whoever has missed the goodbye of the time before still believes in the people of then.
            link.show(full=True)

    async def leave(self, room: RoomId) -> None:
        """The room was unloaded. Never raises for a store that cannot be reached."""
        link = self._links.pop(room, None)
        if link is None or self._bus is None:
            return
        link.left = True
        if link.host is not None and link.replica is not None and link.host.state.seq > link.replica.position:
            self._numbers[room] = link.host.state.seq
        if link.shared:
            link.tell(Bye())
        with suppress(StoreError):
            await self._keeping.leave(room)
        await self._bus.unsubscribe(room)
        await self._membership.leave(room)

    def compacted(self, room: RoomId, position: int, size: int) -> None:
        """Tells the other nodes that this one has compacted a room's log."""
        link = self._links.get(room)
        if link is not None and link.shared:
            link.tell(Compacted(position, size))

    def position(self, room: RoomId) -> int:
        """Up to which position the room's log is known here."""
        replica = self._replica(room)
        return replica.position if replica is not None else 0

    async def connection_counts(self) -> dict[RoomId, int]:
        """The connections of each room over all nodes that answer in time. Raises StoreError."""
        assert self._rooms is not None
        await self._look()
        return await self._census.connections(self._rooms.connection_counts())

    async def nodes_of(self, rooms: Sequence[RoomId]) -> dict[RoomId, tuple[str, ...]]:
        """What the live nodes that hold each room are called. Raises StoreError."""
        return await self._census.nodes(self.shared, rooms)

    async def holders(self, room: RoomId) -> list[NodeId]:
        """The other live nodes that hold a room. Raises StoreError."""
        return await self._census.holders(self.shared, room)

    # Peers

    @property
    def node(self) -> NodeId:
        """The id of this node; another one after it has lost its lease."""
        return self._lease.node

    def live(self, node: NodeId) -> bool:
        """Whether a node's lease was good when this one last looked."""
        return node in self._lease.live

    async def claim(self, room: RoomId) -> Keep:
        """Makes this node the keeper of a room's jobs unless another live one is. Raises StoreUnavailable."""
        return await self._keeping.claim(room)

    async def unclaim(self, room: RoomId) -> None:
        """Ends this node's keep of a room. Raises StoreUnavailable."""
        await self._keeping.unclaim(room)

    def keep(self, room: RoomId) -> Keep | None:
        """The keep of a room by this node, if it holds at this instant."""
        return self._keeping.keep(room)

    async def ask(self, node: NodeId, payload: bytes, timeout: float) -> bytes:
        """What a node answers. Raises TryLater."""
        return await self._questions.ask(node, JOBS, payload, timeout)

    async def ask_about(self, topic: str, node: NodeId, payload: bytes, timeout: float) -> bytes:
        """What a node answers on a topic. Raises TryLater."""
        return await self._questions.ask(node, topic, payload, timeout)

    def answer_about(self, topic: str, answer: Topic) -> None:
        """Sets what answers other nodes' questions of a topic, before the node starts."""
        self._topics[topic] = answer

    def serve(
        self,
        answer: Callable[[NodeId, bytes], Awaitable[bytes]],
        lost: Callable[[Sequence[RoomId]], None],
        overheard: Callable[[RoomId, GenerationEvent], None],
        restored: Callable[[RoomId], None],
    ) -> None:
        """Sets who is called, before the node starts; see Peers."""
        self._topics[JOBS] = answer
        self._lost, self._overheard, self._restored = lost, overheard, restored

    # BusListener

    def entries(self, room: RoomId, log: str, entries: Sequence[SharedEntry]) -> None:
        """Another node's entries were stored."""
        link = self._links.get(room)
        if link is not None:
            link.entries(log, entries)

    def message(self, room: RoomId, node: NodeId, payload: bytes) -> None:
        """A node has said something in a room."""
        link = self._links.get(room)
        if link is None:
            return
        if not node:
            if payload.startswith(DELETED) and link.replica is not None:
                self._deleted_log(link, payload[len(DELETED) :].decode("latin-1"))
            return
        message = self._read(payload)
        if message is None:
            return
        link.take(node, message)
        if isinstance(message, Bye) and self.live(node):
            # It may have gone altogether; nobody is to wait for its answers then.
            self._membership.look_soon()

    def direct(self, node: NodeId, payload: bytes) -> None:
        """A node has said something to this one."""
        message = self._read(payload)
        match message:
            case Probe(room=room, client=client):
                if (link := self._links.get(room)) is not None:
                    link.probed(ClientId(client))
                else:
                    self._not_held(room)
            case Holding(room=room):
                if (link := self._links.get(room)) is not None:
                    link.heard(node)
                    link.show(full=True)
                else:
                    self._not_held(room)
            case Question():
                self._spawn(self._reply(node, message))
            case Answer():
                self._questions.answered(node, message)

    def renewed(self) -> None:
        """The bus is there again."""
        self.up = True
        # At once: what comes from now on must not hide that the log is another than it was.
        self._reader.doubt(self._links.values())
        logger.info("the bus to the other nodes is there again")
        self._spawn(self._membership.come_back())
        self._on_renewed()

    def down(self, reason: str) -> None:
        """The bus is gone."""
        self.up = False
        logger.warning("the bus to the other nodes is gone: %s", reason)

    def _read(self, payload: bytes) -> BusMessage | None:
        try:
            return unpack(payload)
        except MalformedMessage as error:
            logger.warning(error.message)
            return None

    def _not_held(self, room: RoomId) -> None:
        """Another node believes that this one holds the room: its goodbye was lost, or the list is wrong."""
        assert self._bus is not None
        self._bus.publish(room, pack(Bye()))
        self._spawn(self._membership.leave(room))

    def _deleted_log(self, link: RoomLink, log: str) -> None:
        if link.replica is not None and link.replica.log == log:
            self._room_deleted(link.room)

    async def _reply(self, node: NodeId, question: Question) -> None:
        self._send(node, await answered(question, node, self._topics))

    async def _tell_counts(self, node: NodeId, payload: bytes) -> bytes:
        assert self._rooms is not None
        return pack_counts(self._rooms.connection_counts())

    # The logs

    async def _resync_room(self, room: RoomId) -> None:
        link = self._links.get(room)
        if link is not None:
            await link.resync()

    def _replica(self, room: RoomId) -> Replica | None:
        link = self._links.get(room)
        return link.replica if link is not None else None

    def _committed(self, room: RoomId, done: Committed) -> None:
        replica = self._replica(room)
        if replica is not None and replica.due(self._clock.monotonic()):
            self._reader.wake()
        if done.refused:
            logger.error(
                "what a job wrote was refused, as another node had taken the room's jobs over",
                extra={"room": room, "entries": len(done.refused)},
            )
            assert self._rooms is not None
            self._rooms.reload(room, "Another server has taken over this room's AI jobs; reconnect.")

    def _overhear(self, room: RoomId, event: GenerationEvent) -> None:
        self._overheard(room, event)

    def _keeps_lost(self, rooms: Sequence[RoomId]) -> None:
        self._lost(rooms)

    def _room_deleted(self, room: RoomId) -> None:
        assert self._rooms is not None
        self._rooms.room_deleted(room)

    async def _look(self) -> None:
        await self._membership.look()

    def _renamed(self, node: NodeId) -> None:
        assert self._bus is not None
        self._bus.rename(node)

    def _send(self, node: NodeId, message: BusMessage) -> None:
        assert self._bus is not None
        self._bus.send(node, pack(message))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        if self._tasks is None:
            work.close()
            return
        self._tasks.create_task(work)
