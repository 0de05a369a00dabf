"""One process of a simulated cluster: the real hub, cluster and engine, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from collab.compaction import CompactionPolicy
from collab.errors import CollabError, StoreError
from collab.ids import ConnectionId, PersonId, RoomId, client_id, short_id
from collab.limits import Limits
from collab.outbox import Outbox
from collab.ports import Store
from collab.presence import Holder
from collab.room import Member
from collab.session import YSession
from collab.shared import Bus, SharedStore
from generation.io.shared import SharedGeneration
from generation.scripted import FixedModels
from generation.settings import GenerationSettings
from server.caller import Caller
from server.cluster import Cluster
from server.connection import YConnection
from server.dispatch import Dispatch
from server.host import RoomHost
from server.hub import Hub
from tests.simulation.board import NodeBoard
from tests.simulation.model import LineModel
from tests.simulation.virtual_loop import VirtualLoop
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.simulation.cluster_world import ClusterWorld

POLICY = CompactionPolicy(entries=30, unload_entries=10)
OUTBOX_BYTES = 4_000


class NodeClock:
    """Implements Clock for one process. Its wall clock jumps; its monotonic one may stand still for a while."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.lost = 0.0
        """Seconds that have passed without its notice."""
        self.skew = 0.0
        self._loop = loop

    def monotonic(self) -> float:
        return self._loop.time() - self.lost

    def wall_ms(self) -> int:
        return 1_700_000_000_000 + int((self._loop.time() + self.skew) * 1000)


class Node:
    """A place for processes that follow each other."""

    def __init__(self, world: ClusterWorld, seed: int, number: int) -> None:
        self.number = number
        self.lives = 0
        self.process = ""
        self.lives_on = False
        """Whether the process lives: a supervisor starts the next one only when it has ended."""
        self.up = False
        self.writer = ""
        self.models: list[LineModel] = []
        self.clock = NodeClock(world.loop)
        self.hub: Hub
        self.cluster: Cluster
        self.engine: SharedGeneration
        self._dispatch: Dispatch
        self._board: NodeBoard
        self._random = Random()
        self._limits = Limits(outbox_bytes=OUTBOX_BYTES)
        self._world = world
        self._seed = seed
        self._stop = asyncio.Event()

    def start(self) -> None:
        """Starts a process in this place, unless one lives there."""
        if self.lives_on:
            return
        self.lives_on = True
        self.lives += 1
        self.process = f"n{self.number}.{self.lives}"
        self.clock = NodeClock(self._world.loop)
        self._stop = asyncio.Event()
        main = self._world.loop.begin(self.process, self._main(self.process))
        main.add_done_callback(partial(self._ended, self.process), context=Context())

    def _ended(self, process: str, main: asyncio.Task[None]) -> None:
        """The process has ended by itself; a supervisor starts the next one."""
        error = main.exception()
        if error is not None:
            self._world.loop.failures.append(error)
        self.over(process, lambda: 0.0, 0.5)

    def over(self, process: str, notice: Callable[[], float], rest: float) -> None:
        """A process has ended, as each connection finds out after ``notice()`` seconds; the next starts after
        ``rest``.
        """
        for wire in self._world.wires_of(process):
            wire.break_off(notice())
        if process == self.process:
            self.up = self.lives_on = False
            self._world.loop.call_later(rest, self.start, context=Context())

    def stop(self) -> None:
        """Has the process end in order."""
        self._world.loop.call_soon(self._stop.set, context=self._world.loop.context(self.process))

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Calls something in the process."""
        self._world.loop.call_soon(function, *args, context=self._world.loop.context(self.process))

    async def _main(self, process: str) -> None:
        self._random = random = Random(f"{self._seed} {process}")
        limits, clock = self._limits, self.clock
        self.cluster = Cluster(self._open_shared, clock, random, f"node {self.number}")
        self.hub = Hub(_no_store, limits, clock, random, 0.02, self.cluster)
        self.hub._policy = POLICY
        model = LineModel(random, process)
        self.models.append(model)
        settings = GenerationSettings(model=model.name, jobs_running=2)
        self._board = NodeBoard(self._world.board)
        self.engine = SharedGeneration(
            self.hub, FixedModels(model), settings, clock, random, self.cluster, self._board
        )
        self._dispatch = Dispatch(self.engine, limits, random, "0")
        try:
            async with self.hub.running(), asyncio.TaskGroup() as tasks:
                jobs = tasks.create_task(self.engine.run())
                self.up = True
                self._world.trace("up", process)
                await self._stop.wait()
                self.up = False
                await self.engine.drain()
                for wire in self._world.wires_of(process):
                    wire.end(1012, "The server stops.")
                jobs.cancel()
        except* StoreError as errors:
            self._world.trace("ended", process, str(errors.exceptions[0])[:60])
        self.up = False

    @asynccontextmanager
    async def _open_shared(self, writer: str) -> AsyncIterator[tuple[SharedStore, Bus]]:
        self.writer = self._board.writer = writer
        self._world.network.belongs(writer, self.process)
        store = self._world.shared.store(writer)
        yield store, self._world.shared.bus(writer)
        await store.close()

    async def serve(self, wire: Wire, room: RoomId, name: str) -> None:
        """One connection, as ``server.sockets`` does it."""
        hub = self.hub
        try:
            hub.admit()
            try:
                host = await hub.acquire(room)
            except BaseException:
                hub.dismiss()
                raise
            await self._connected(wire, host, name)
        except CollabError as error:
            wire.end(error.close, error.message)

    async def _connected(self, wire: Wire, host: RoomHost, name: str) -> None:
        hub = self.hub

        def departed() -> None:
            hub.release(host)
            hub.dismiss()

        identity = ConnectionId(short_id(self._random, "c"))
        member = Member(Holder(identity), PersonId(name), name, acknowledged=True)
        caller = Caller(identity, member.person, name, "#000000", client_id(self._random), False)
        session = YSession(host.state, member, self._limits, self.clock)
        outbox = Outbox(OUTBOX_BYTES)
        connection = YConnection(wire, host, member, caller, self._dispatch, departed, session, outbox)  # type: ignore[arg-type]
        try:
            await connection.opened()
        except BaseException:
            connection.lost()
            connection.depart()
            raise
        await connection.serve()


async def _no_store() -> Store:
    raise AssertionError("a node of a cluster opens no store of its own")
