"""A seeded cluster: nodes, clients, a shared store, and all that may go wrong with them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from random import Random

from collab.ids import RoomId
from collab.ports import Checkpoint
from collab.shared import SharedEntry
from tests.simulation.archive import Archive
from tests.simulation.board import SharedBoard
from tests.simulation.client import Link
from tests.simulation.cluster_client import ClusterClient
from tests.simulation.cluster_jobs import Jobs
from tests.simulation.cluster_masters import Masters
from tests.simulation.cluster_node import Node
from tests.simulation.network import QUIET, Faults, FaultyNetwork
from tests.simulation.recording import Recorded, WorldClock
from tests.simulation.virtual_loop import VirtualLoop
from tests.simulation.wire import Wire

ROOM = RoomId("simulated")
STEPS = 90
SETTLE_SECONDS = 90.0
POLL_SECONDS = 0.5
STABLE_SECONDS = 9.0
"""Longer than a lease: what only seems well falls apart in this time."""
SLOWEST = 3.0


@dataclass(frozen=True)
class Replayed:
    """What the store had, and a document of it."""

    checkpoint: Checkpoint | None
    entries: tuple[SharedEntry, ...]
    archive: Archive


class ClusterWorld:
    """Everything in it follows from its seed. ``run`` lives through it, faults first, then peace."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.loop = VirtualLoop()
        self.network = FaultyNetwork(self.loop, Random(f"{seed} network"))
        self.shared = Recorded(WorldClock(self.loop), Random(f"{seed} store"), self.network, remembered=300)
        self.shared.on_stored = self._stored
        self.shared.meet = self.meet
        self.jobs = Jobs(self, ROOM)
        self.masters = Masters(self)
        self.shared.on_committed = self.jobs.stored
        self.shared.on_recorded = self.jobs.recorded.update
        self.board = SharedBoard(self.shared, self.shared.clock)
        self.nodes = [Node(self, seed, number) for number in range(1, self.random.randint(2, 4) + 1)]
        self.clients = [ClusterClient(number, self.random) for number in range(self.random.randint(2, 6))]
        self.erased: dict[str, ClusterClient] = {}
        self.ever = Archive()
        """All that was ever stored."""
        self.replayed = Replayed(None, (), Archive())
        """What the store had when that was looked at last."""
        self.met: dict[str, int] = {}
        self.happened: list[str] = []
        self.lost_something = False
        """Whether the store came back older or empty."""
        self.settled = 0.0
        """Seconds from the end of the faults until all was well."""
        self._digest = hashlib.sha256()
        self._wires: list[Wire] = []
        self._peace = False
        self._lossy = self.random.random() < 0.4
        self._faults = self._profile()
        self._weights = self._chances()

    # What is told

    @property
    def digest(self) -> str:
        """Of all that has happened."""
        return self._digest.hexdigest()

    def trace(self, *what: object) -> None:
        """Notes that something has happened."""
        line = f"{self.loop.time():.6f} {' '.join(map(str, what))}"
        self._digest.update(line.encode())
        self.happened.append(line)

    def meet(self, what: str, *more: object) -> None:
        """Notes a fault or an act, and counts it."""
        self.met[what] = self.met.get(what, 0) + 1
        self.trace(what, *more)

    def broken(self, what: str) -> None:
        """Something that must never happen has happened."""
        self.trace("BROKEN:", what)
        self.loop.failures.append(what)

    def wires_of(self, process: str) -> list[Wire]:
        """The connections to a process."""
        return [wire for wire in self._wires if wire.process == process and not wire.closed]

    # Its course

    async def run(self) -> None:
        """All of it."""
        for node in self.nodes:
            node.start()
        await asyncio.sleep(0.2)
        self.clients[0].create()
        ticking = self.loop.create_task(self._tick(), context=Context())
        for _ in range(STEPS):
            await asyncio.sleep(self.random.expovariate(5.0))
            self._step()
        self._make_peace()
        await self._settle()
        ticking.cancel()

    async def _tick(self) -> None:
        """What clients and supervisors do by themselves."""
        while True:
            await asyncio.sleep(0.25)
            now = self.loop.time()
            for client in self.clients:
                client.tick(now)
                client.flush()
                if client.link is None and not client.gone and now >= client.come_back_at:
                    self._connect(client)
            self._wires = [wire for wire in self._wires if not (wire.closed and wire.cut)]

    async def _settle(self) -> None:
        """Waits until all is well. Raises AssertionError with what is not, when that takes too long."""
        from tests.simulation.cluster_checks import problems, undoing

        began = self.loop.time()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            found = await problems(self)
            if self.loop.failures:
                raise AssertionError(f"something failed where nobody saw it: {self.loop.failures[0]!r}")
            if not found:
                self.trace("settled", round(self.loop.time() - began, 1))
                break
            if self.loop.time() - began > SETTLE_SECONDS:
                raise AssertionError("; ".join(found))
        self.settled = self.loop.time() - began
        streams = self._streams()
        await asyncio.sleep(STABLE_SECONDS)
        # A command that comes late may put a node on the room's list until somebody looks again.
        found = await problems(self, lists=False)
        if self._streams() != streams or self.jobs.running():
            # Nobody knew of a job any more that had a turn on the board yet; the peace begins after it.
            await self._settle()
            return
        assert not found, f"it did not stay well: {'; '.join(found)}"
        found = await undoing(self)
        assert not found, "; ".join(found)

    def _streams(self) -> int:
        return sum(model.streams for node in self.nodes for model in node.models)

    # What happens

    def _profile(self) -> Faults:
        random = self.random

        def chance(most: float) -> float:
            return random.random() * most if random.random() < 0.5 else 0.0

        return Faults(
            question_lost=chance(0.1),
            answer_lost=chance(0.1),
            late=chance(0.05),
            slow=chance(0.2),
            slow_seconds=random.choice([0.05, 0.5, 3.0]),
            dropped=chance(0.1),
            doubled=chance(0.1),
            delayed=chance(0.3),
            delay_seconds=random.choice([0.02, 0.2, 2.0]),
        )

    def _chances(self) -> dict[Callable[[], None], float]:
        random = self.random
        always = {self._edit: 60.0, self._move: 4.0, self._toggle: 5.0, self._weather: 4.0}
        sometimes = {
            self._kill: 3.0,
            self._restart: 1.5,
            self._pause: 2.0,
            self._cut_off: 2.0,
            self._away: 2.5,
            self._slow: 3.0,
            self._jump: 2.0,
            self._quit: 0.7,
            self._half_open: 3.0,
            self.jobs.submit: 9.0,
        }
        chosen = always | {what: weight for what, weight in sometimes.items() if random.random() < 0.5}
        if self.jobs.submit not in chosen:
            # Two masters keep no jobs apart; nor do they with Redis, for as long as there are two.
            if self._lossy:
                chosen |= {self.masters.depose: random.choice([1.0, 4.0]), self._burst: 10.0}
        else:
            chosen |= {self.jobs.cancel: 1.5, self.jobs.undo: 1.0}
            chosen |= {self.jobs.pause: 2.0, self.jobs.resume: 2.0, self.jobs.steer: 2.0, self.jobs.move: 2.0}
        return chosen | {self._away: 4.0} if self._lossy else chosen

    def _step(self) -> None:
        (what,) = self.random.choices(list(self._weights), list(self._weights.values()))
        what()
        for client in self.clients:
            client.flush()

    def _client(self) -> ClusterClient:
        return self.random.choice(self.clients)

    def _running(self) -> list[Node]:
        return [node for node in self.nodes if node.up and self.loop.lives(node.process)]

    def some_node(self) -> Node | None:
        """A node that serves."""
        able = [node for node in self._running() if not self.loop.paused(node.process)]
        return self.random.choice(able) if able else None

    def _edit(self) -> None:
        client = self._client()
        if client.gone:
            return
        if self.random.random() < 0.8:
            token = client.type()
            self.trace("typed", client.id, token)
        else:
            token = client.erase()
            self.trace("erased", client.id, token)
            if token is not None:
                self.erased[token] = client

    def _burst(self) -> None:
        """Somebody types faster than all others: the log grows faster where that goes."""
        client = self._client()
        for _ in range(self.random.randint(2, 6)):
            if not client.gone:
                self.trace("typed", client.id, client.type())
                client.flush()

    def _move(self) -> None:
        client = self._client()
        if not client.gone:
            client.move(self.loop.time())

    def _toggle(self) -> None:
        client = self._client()
        if client.gone:
            return
        if client.link is None:
            self._connect(client)
        else:
            self._drop(client, self.random.random() * 0.05)

    def _half_open(self) -> None:
        client = self._client()
        if not client.gone and client.link is not None:
            self.meet("half open", client.id)
            self._drop(client, self.random.random() * 8)

    def _quit(self) -> None:
        client = self._client()
        if self._lossy or client is self.clients[0] or client.gone:
            return
        self.meet("quit", client.id)
        self._drop(client, self.random.random())
        client.gone = True

    def _drop(self, client: ClusterClient, notice: float) -> None:
        if client.wire is not None:
            client.wire.abandon(notice)
            client.lose(client.wire.link)
        client.come_back_at = self.loop.time() + self.random.random() * 3

    def _slow(self) -> None:
        client = self._client()
        if client.wire is not None:
            self.meet("slow reader", client.id)
            client.wire.slow = self.random.random() * SLOWEST

    def _victim(self) -> Node | None:
        """A running node; every other time the one that keeps the room's jobs."""
        running = self._running()
        keep = self.shared.room(ROOM).keep
        if keep is not None and self.random.random() < 0.5:
            running = [node for node in running if keep.node.startswith(f"{node.writer}.")] or running
        return self.random.choice(running) if running else None

    def _kill(self) -> None:
        node = self._victim()
        if node is not None:
            process = node.process
            self.loop.doom(process, self.random.randint(0, 60), lambda: self._killed(node, process))

    def _killed(self, node: Node, process: str) -> None:
        self.meet("killed", process)
        node.over(process, lambda: self.random.random() * 0.5, 0.3 + self.random.random() * 4)

    def _restart(self) -> None:
        running = [node for node in self._running() if not self.loop.paused(node.process)]
        if running:
            node = self.random.choice(running)
            self.meet("restarted", node.process)
            node.stop()

    def _pause(self) -> None:
        node = self._victim()
        if node is not None:
            process = node.process
            if self.loop.paused(process):
                return
            seconds = self.random.random() * self.random.choice([1.0, 5.0, 15.0])
            still = self.random.random() < 0.3
            self.meet("paused", process, f"{seconds:.1f}", "clock stands still" if still else "")
            self.loop.pause(process)
            self.loop.call_later(
                seconds, self._resume, node, process, seconds if still else 0.0, context=Context()
            )

    def _resume(self, node: Node, process: str, lost: float) -> None:
        if self.loop.paused(process):
            node.clock.lost += lost
            self.trace("resumed", process)
            self.loop.resume(process)

    def _cut_off(self) -> None:
        node = self._victim()
        if node is not None and node.writer:
            writer = node.writer
            self.meet("cut off", writer)
            self.shared.cut_off(writer)
            seconds = self.random.random() * 10
            self.loop.call_later(seconds, self.shared.heal, writer, context=Context())

    def _away(self) -> None:
        self.meet("away")
        self.shared.away()
        self.loop.call_later(self.random.random() * 8, self._back, context=Context())

    def _back(self) -> None:
        if self._peace or self.shared.reachable("nobody"):
            return
        chance = self.random.random()
        if self._lossy and chance < 0.4:
            self.meet("older", self.shared.lose(self.random.randint(1, 40)))
            self.lose_something()
            if self.random.random() < 0.5:
                self.board.board.wipe()
        elif self._lossy and chance < 0.6:
            self.meet("empty")
            self.shared.wipe()
            self.board.board.wipe()
            self.lose_something()
        self.trace("back")
        self.shared.back()

    def lose_something(self) -> None:
        """The store has lost what it had acknowledged."""
        self.lost_something = True
        self.jobs.lost()

    def _weather(self) -> None:
        self.network.faults = QUIET if self.network.faults is self._faults else self._faults
        self.trace("weather", "fair" if self.network.faults is QUIET else "foul")

    def _jump(self) -> None:
        node = self.random.choice(self.nodes)
        node.clock.skew += (self.random.random() - 0.5) * 7200
        self.meet("clock jumped", node.process)

    def _make_peace(self) -> None:
        self.trace("peace")
        self._peace = True
        self.network.faults = QUIET
        self.shared.back()
        self.masters.settle()
        self.loop.spare()
        for node in self.nodes:
            if node.writer:
                self.shared.heal(node.writer)
            self.loop.resume(node.process)
        for client in self.clients:
            if client.wire is not None:
                client.wire.slow = 0.0

    # Connections

    def _connect(self, client: ClusterClient) -> None:
        client.come_back_at = self.loop.time() + 0.5 + self.random.random()
        node = self.some_node()
        if node is None:
            return
        self.trace("connects", client.id, node.process)
        link = client.connect(self.loop.time())
        wire = client.wire = Wire(self.loop, self.random, link, node.process, self._received, self._lost)
        self._wires.append(wire)
        self.loop.create_task(node.serve(wire, ROOM, f"p{client.id}"), context=self.loop.context(node.process))
        client.flush()

    def _received(self, link: Link, item: bytes | int) -> None:
        client = link.client
        assert isinstance(client, ClusterClient)
        if client.link is not link:
            return
        known = len(client.saved)
        client.receive(item, self.loop.time())
        for update in client.saved[known:]:
            if not self.ever.holds(update):
                self.broken(f"an edit of client {client.id} is called saved, and was never stored")
        client.flush()

    def _lost(self, link: Link) -> None:
        client = link.client
        assert isinstance(client, ClusterClient)
        if client.link is link:
            self.trace("lost", client.id, client.wire.codes if client.wire else "")
            client.come_back_at = self.loop.time() + self.random.random() * 2
            client.lose(link)

    def _stored(self, shared: SharedEntry) -> None:
        self.ever.add(shared.entry.update)
        self.trace("stored", shared.entry.seq, shared.stamp.writer, shared.stamp.number, len(shared.entry.update))
