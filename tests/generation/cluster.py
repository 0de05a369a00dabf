"""Several nodes in one process: records, documents and keeps as a shared store would have them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from collab.document import Applied, Document
from collab.errors import KeepLost, StoreUnavailable, TryLater
from collab.ids import ClientId, FileId, JobId, NodeId, RoomId
from collab.io.clock import SystemClock
from collab.origin import JobOrigin, Origin, UndoOrigin
from collab.shared import Keep
from generation.board import MemoryBoard
from generation.book import KEPT_KINDS
from generation.event_codec import decode_event, encode_event
from generation.events import GenerationEvent
from generation.io.bell import LoopBell
from generation.io.shared import SharedGeneration
from generation.io.tickets import Pace
from generation.offline import OfflineModel
from generation.scripted import FixedModels, ScriptedModel
from generation.settings import GenerationSettings
from generation.sharing import Ticket
from generation.usage import MemoryUsage
from generation.views import Priority
from tests.generation.fakes import ROOM, FakeRoom

QUICK = GenerationSettings(merge_interval_ms=1, backoff_first=0.001, backoff_most=0.001)
FAST = Pace(take=0.05, beat=0.02, idle=0.1, retry=0.01)


@dataclass
class Shared:
    """What outlives every node."""

    records: dict[RoomId, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    logs: dict[RoomId, list[bytes]] = field(default_factory=dict)
    keeps: dict[RoomId, Keep] = field(default_factory=dict)
    tokens: dict[RoomId, int] = field(default_factory=dict)
    steps: list[bytes | tuple[str, str, bytes | None]] = field(default_factory=list)
    """All that was stored, in order: updates of the log, and records."""

    def newest(self, room: RoomId) -> int:
        """The newest token of a room."""
        return self.tokens.get(room, 0)


class CountingBoard(MemoryBoard):
    """Remembers what was posted."""

    def __init__(self) -> None:
        super().__init__(SystemClock(), LoopBell())
        self.posted: list[tuple[Priority, RoomId, JobId]] = []
        self.handed: list[tuple[Ticket, NodeId]] = []

    async def post(self, priority: Priority, room: RoomId, job: JobId) -> None:
        self.posted.append((priority, room, job))
        await super().post(priority, room, job)

    async def hand(self, ticket: Ticket, node: NodeId) -> None:
        self.handed.append((ticket, node))
        await super().hand(ticket, node)


class NodeRoom(FakeRoom):
    """A room at one node: what is written here is in the shared log at once, if the keep allows it."""

    def __init__(self, node: Node, room: RoomId) -> None:
        super().__init__(node.cluster.shared.records.setdefault(room, {}), room=room)
        self.document = Document(ClientId(random.Random(f"{node.node}{room}").getrandbits(32) or 1))
        self.node = node
        self.read = 0
        self.catch_up()

    def catch_up(self) -> None:
        """Reads the log."""
        log = self.node.cluster.shared.logs.setdefault(self.room, [])
        for update in log[self.read :]:
            self.document.apply([update])
        self.read = len(log)

    def may_generate(self) -> bool:
        return self.node.peers.keep(self.room) is not None

    async def caught_up(self) -> None:
        await asyncio.sleep(0)
        self.catch_up()

    async def durable(self) -> None:
        await asyncio.sleep(0)

    def apply(self, update: bytes, origin: Origin) -> Applied:
        if isinstance(origin, JobOrigin | UndoOrigin) and not self.may_generate():
            raise KeepLost("Another server has taken over.")
        applied = super().apply(update, origin)
        self.write(update)
        return applied

    def write(self, update: bytes) -> None:
        """Puts an update into the log, from which the other nodes have it at once."""
        self.node.cluster.shared.logs[self.room].append(update)
        self.node.cluster.shared.steps.append(update)
        self.node.cluster.spread(self.room)

    def put_record(self, kind: str, key: str, value: bytes | None) -> None:
        if kind in KEPT_KINDS and not self.may_generate():
            return
        super().put_record(kind, key, value)
        self.node.cluster.shared.steps.append((kind, key, value))

    def announce(self, event: GenerationEvent) -> None:
        super().announce(event)
        for other in self.node.cluster.nodes.values():
            if other is not self.node and other.up and not other.deaf and self.room in other.rooms:
                heard = decode_event(encode_event(event))
                other.rooms[self.room].hear(heard)
                other.generation.overheard(self.room, heard)

    def hear(self, event: GenerationEvent) -> None:
        """Another node's event reaches the clients here."""
        super().announce(event)

    def add(self, path: str, text: str) -> FileId:
        file = FileId(f"id-{path}")
        _, applied = self.document.edit(lambda editor: editor.create(file, path, text))
        assert applied.update is not None
        self.write(applied.update)
        return file


class NodeRooms:
    """Implements generation.ports.Rooms: a node's rooms."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def held(self, room: RoomId) -> AbstractAsyncContextManager[NodeRoom]:
        return self._held(room)

    @asynccontextmanager
    async def _held(self, room: RoomId) -> AsyncIterator[NodeRoom]:
        await asyncio.sleep(0)
        yield self.node.room(room)


class FakePeers:
    """Implements generation.sharing.Peers."""

    def __init__(self, node: Node) -> None:
        self._owner = node
        self.asked = 0
        self.submits = 0
        self.lose_submits = 0
        """So many answers to submissions do not arrive."""
        self.lose = "", 0
        """So many answers to questions of a kind do not arrive."""
        self.answer: Callable[[NodeId, bytes], Awaitable[bytes]] | None = None
        self.lost: Callable[[Sequence[RoomId]], None] | None = None

    @property
    def node(self) -> NodeId:
        return self._owner.node

    def live(self, node: NodeId) -> bool:
        other = self._owner.cluster.nodes.get(node)
        return other is not None and other.leased

    async def claim(self, room: RoomId) -> Keep:
        await asyncio.sleep(0)
        shared = self._owner.cluster.shared
        if not self._owner.leased or self._owner.cut:
            raise StoreUnavailable("The store cannot be reached.")
        keep = shared.keeps.get(room)
        if keep is None or not self.live(keep.node):
            shared.tokens[room] = shared.newest(room) + 1
            keep = shared.keeps[room] = Keep(self.node, shared.tokens[room])
        return keep

    async def unclaim(self, room: RoomId) -> None:
        keep = self._owner.cluster.shared.keeps.get(room)
        if keep is not None and keep.node == self.node:
            del self._owner.cluster.shared.keeps[room]
        await asyncio.sleep(0)

    def keep(self, room: RoomId) -> Keep | None:
        keep = self._owner.cluster.shared.keeps.get(room)
        return keep if keep is not None and keep.node == self.node and self._owner.leased else None

    async def ask(self, node: NodeId, payload: bytes, timeout: float) -> bytes:
        self.asked += 1
        await asyncio.sleep(0)
        other = self._owner.cluster.nodes.get(node)
        if other is None or not other.up or self._owner.cut or other.cut:
            raise TryLater("It did not answer.")
        assert other.peers.answer is not None
        answer = await other.peers.answer(self.node, payload)
        if payload.startswith(b'["Submit"'):
            self.submits += 1
            if self.submits <= self.lose_submits:
                raise TryLater("It did not answer.")
        kind, left = self.lose
        if left and payload.startswith(f'["{kind}"'.encode()):
            self.lose = kind, left - 1
            raise TryLater("It did not answer.")
        return answer

    def serve(
        self,
        answer: Callable[[NodeId, bytes], Awaitable[bytes]],
        lost: Callable[[Sequence[RoomId]], None],
        overheard: Callable[[RoomId, GenerationEvent], None],
        restored: Callable[[RoomId], None],
    ) -> None:
        self.answer, self.lost = answer, lost


class Node:
    """One process."""

    def __init__(
        self, cluster: FakeCluster, name: str, model: ScriptedModel, settings: GenerationSettings
    ) -> None:
        self.cluster = cluster
        self.node = NodeId(name)
        self.leased = self.up = True
        self.cut = self.deaf = False
        """``cut``: it reaches nobody; ``deaf``: it misses what others announce."""
        self.rooms: dict[RoomId, NodeRoom] = {}
        self.peers = FakePeers(self)
        self.model = model
        self.generation = SharedGeneration(
            NodeRooms(self),
            FixedModels(model, OfflineModel()),
            settings,
            SystemClock(),
            random.Random(name),
            self.peers,
            cluster.board,
            FAST,
            usage=cluster.usage,
        )
        self.task: asyncio.Task[None] | None = None

    def room(self, room: RoomId = ROOM) -> NodeRoom:
        """The room as this node has it."""
        if room not in self.rooms:
            self.rooms[room] = NodeRoom(self, room)
        return self.rooms[room]

    def start(self) -> None:
        self.task = asyncio.create_task(self.generation.run())

    async def kill(self) -> None:
        """Ends it as kill -9 does: nothing more is written."""
        self.leased = self.up = False
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def lose_lease(self) -> None:
        """The others take it for dead; it does not know yet."""
        self.leased = False


class FakeCluster:
    """Nodes over one store. Use as an async context manager."""

    def __init__(self) -> None:
        self.shared = Shared()
        self.board = CountingBoard()
        self.usage = MemoryUsage(SystemClock())
        self.nodes: dict[NodeId, Node] = {}

    def node(self, name: str, model: ScriptedModel, settings: GenerationSettings = QUICK) -> Node:
        """Starts a node."""
        node = Node(self, name, model, settings)
        self.nodes[node.node] = node
        node.start()
        return node

    def spread(self, room: RoomId) -> None:
        """All nodes read the log."""
        for node in self.nodes.values():
            if node.up and room in node.rooms:
                node.rooms[room].catch_up()

    async def __aenter__(self) -> FakeCluster:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [node.task for node in self.nodes.values() if node.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
