"""The world that the twins of the shared store and its bus work on: what a Redis server would be.

What may go wrong between a node and the world is decided from outside, by a ``Network``; what may go wrong with
the world itself are methods: it can be away, come back older, or empty, and another server can take over while the
one before still serves those who have not heard of that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from collab.errors import StoreUnavailable
from collab.ids import NodeId, Random, RoomId
from collab.ports import Clock
from collab.shared import SharedEntry
from collab.shared_memory_room import MemoryRoom

T = TypeVar("T")
NOTHING: Final = MemoryRoom()


class Network(Protocol):
    """What lies between the nodes and the world. The default carries everything at once."""

    async def reach(self, writer: str, what: str, operation: Callable[[], T]) -> T:
        """Carries a command to the world and its answer back: calls ``operation`` and returns its result.

        It may take its time on either way, and raise StoreUnavailable before or after the command was carried
        out, or long before somebody does it all the same.
        """
        ...

    def carry(self, source: str, target: str, kind: str, deliver: Callable[[], None]) -> None:
        """Carries something from the bus to a node: calls ``deliver`` once, or later, more often, or never.

        ``kind`` is ``entries``, ``message``, ``direct``, ``down`` or ``renewed``; the last two arrive for sure.
        """
        ...


class PerfectNetwork:
    """Carries everything, at once and in order."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], object] | None = None) -> None:
        """``call_soon`` is an event loop's; without it, deliveries are made one after the other at once."""
        self._call_soon = call_soon
        self._waiting: deque[Callable[[], None]] = deque()
        self._delivering = False

    async def reach(self, writer: str, what: str, operation: Callable[[], T]) -> T:
        """See Network.reach."""
        return operation()

    def carry(self, source: str, target: str, kind: str, deliver: Callable[[], None]) -> None:
        """See Network.carry."""
        if self._call_soon is not None:
            self._call_soon(deliver)
            return
        self._waiting.append(deliver)
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._delivering = False


@dataclass(frozen=True, slots=True)
class Lease:
    """A node's lease, until when (the world's seconds), and what it says of itself."""

    until: float
    about: bytes


@dataclass(frozen=True, slots=True)
class _Past:
    rooms: dict[RoomId, MemoryRoom]
    leases: dict[NodeId, Lease]


@dataclass(slots=True)
class _Server:
    """What one server has."""

    rooms: dict[RoomId, MemoryRoom] = field(default_factory=dict)
    leases: dict[NodeId, Lease] = field(default_factory=dict)
    past: deque[_Past] = field(default_factory=lambda: deque(maxlen=0))


class Connected(Protocol):
    """A process's bus, as the world sees it."""

    def reached(self, *, reachable: bool) -> None:
        """Whether the process reaches the world from now on."""
        ...

    def entries(self, source: str, room: RoomId, log: str, entries: tuple[SharedEntry, ...]) -> None:
        """Another process's entries are stored."""
        ...

    def message(self, source: str, room: RoomId, node: NodeId, payload: bytes) -> None:
        """Another process has published something."""
        ...

    def direct(self, source: str, sender: NodeId, target: NodeId, payload: bytes) -> None:
        """Another process sends something to a node."""
        ...


class World:
    """The world. Its clock is what leases and locks go by.

    ``remembered`` is how many of its last changes it can take back (``lose``).
    """

    def __init__(
        self, clock: Clock, random: Random, network: Network | None = None, *, remembered: int = 0
    ) -> None:
        self.clock: Final = clock
        self.network: Final[Network] = network or PerfectNetwork()
        self._random: Final = random
        self._master = _Server(past=deque(maxlen=remembered))
        self._former = _Server()
        self._serving: _Server | None = None
        """The server that carries out a command now."""
        self._astray: dict[str, float] = {}
        """Which share of a process's commands goes to the former master."""
        self._deaf: set[str] = set()
        """Processes whose buses are connected to it."""
        self._away = False
        self._cut: set[str] = set()
        self._buses: dict[str, Connected] = {}

    # What may happen to it

    def away(self) -> None:
        """Nobody reaches it until ``back``."""
        self._away = True
        self._told()

    def back(self) -> None:
        """It can be reached again."""
        self._away = False
        self._told()

    def cut_off(self, writer: str) -> None:
        """One process does not reach it until ``heal``."""
        self._cut.add(writer)
        self._told()

    def heal(self, writer: str) -> None:
        """That process reaches it again."""
        self._cut.discard(writer)
        self._told()

    def lose(self, count: int) -> int:
        """Forgets its last ``count`` changes, as a Redis that had not written them to its disk; how many it
        could (see ``remembered``).
        """
        taken = 0
        master = self._master
        while taken < count and master.past:
            past = master.past.pop()
            master.rooms, master.leases = past.rooms, past.leases
            taken += 1
        return taken

    def wipe(self) -> None:
        """Forgets everything."""
        master = self._master
        master.rooms, master.leases = {}, {}
        master.past.clear()

    def depose(self, behind: int) -> int:
        """Another server takes over, without the last ``behind`` changes; how many it lacks. All processes stay
        with the former master until they turn: their commands and their buses, each in their own time.
        """
        self._former = _Server(dict(self._master.rooms), self._master.leases)
        self._astray = dict.fromkeys(self._buses, 1.0)
        self._deaf = set(self._buses)
        return self.lose(behind)

    def turn(self, writer: str, astray: float = 0.0) -> None:
        """Has this share of a process's commands go to the former master from now on: it has many connections."""
        self._astray[writer] = astray

    def turn_bus(self, writer: str) -> None:
        """A process's bus is connected to the master, if it was to the former one."""
        if writer in self._deaf:
            bus = self._buses.get(writer)
            if bus is not None:
                bus.reached(reachable=False)
            self._deaf.discard(writer)
            if bus is not None:
                bus.reached(reachable=self.reachable(writer))

    def reachable(self, writer: str) -> bool:
        """Whether a process reaches it."""
        return not self._away and writer not in self._cut

    # What the adapters use

    async def ask(self, writer: str, what: str, operation: Callable[[], T]) -> T:
        """Carries out a command of a process. Raises what it raises, and StoreUnavailable."""

        def carried_out() -> T:
            if not self.reachable(writer):
                raise StoreUnavailable("The shared store cannot be reached; it is tried again.")
            astray = self._astray.get(writer, 0.0)
            # Not asked when there is only one answer, so that a world without faults draws no numbers.
            former = astray > 0 and (astray >= 1 or self._random.getrandbits(16) / 65536 < astray)
            self._serving = self._former if former else self._master
            try:
                return operation()
            finally:
                self._serving = None

        return await self.network.reach(writer, what, carried_out)

    def room(self, name: RoomId) -> MemoryRoom:
        """A room as it is now; an empty one if there is none."""
        return self._server.rooms.get(name, NOTHING)

    def rooms(self) -> list[tuple[RoomId, MemoryRoom]]:
        """All rooms that have something stored, by name."""
        rooms = self._server.rooms
        return [(name, rooms[name]) for name in sorted(rooms) if rooms[name].stored]

    def put(self, name: RoomId, room: MemoryRoom) -> None:
        """Makes a room be this from now on."""
        self._remember()
        self._server.rooms[name] = room

    def fresh_log(self) -> str:
        """An identity that no log has had."""
        return f"{self._random.getrandbits(64):016x}"

    def lease(self, node: NodeId, lease: Lease | None) -> None:
        """Begins, renews or ends (None) a node's lease."""
        self._remember()
        leases = {other: held for other, held in self._server.leases.items() if other != node}
        if lease is not None:
            leases[node] = lease
        self._server.leases = leases

    def live(self) -> dict[NodeId, bytes]:
        """All nodes whose lease is good, with what they say of themselves."""
        now = self.clock.monotonic()
        leases = self._server.leases
        return {node: lease.about for node, lease in sorted(leases.items()) if lease.until > now}

    def extended(self, about: bytes, seconds: float) -> Lease:
        """A lease from now on."""
        return Lease(self.clock.monotonic() + seconds, about)

    def connect(self, writer: str, bus: Connected) -> None:
        """A process's bus runs from now on."""
        self._buses[writer] = bus

    def disconnect(self, writer: str, bus: Connected) -> None:
        """It does not any more."""
        if self._buses.get(writer) is bus:
            del self._buses[writer]

    def others(self, writer: str) -> list[Connected]:
        """The buses of all other processes that are connected to the server which carries out a command now, or to
        the one to which this process's bus is.
        """
        if self._serving is not None:
            former = self._serving is self._former
        else:
            former = writer in self._deaf
        return [bus for name, bus in self._buses.items() if name != writer and (name in self._deaf) == former]

    @property
    def _server(self) -> _Server:
        return self._serving or self._master

    def _remember(self) -> None:
        server = self._server
        if server.past.maxlen:
            server.past.append(_Past(dict(server.rooms), server.leases))

    def _told(self) -> None:
        for writer, bus in list(self._buses.items()):
            bus.reached(reachable=self.reachable(writer))
