"""The world that the twins of the shared store and its bus work on: what a Redis server would be.

What may go wrong between a node and the world is decided from outside, by a ``Network``; what may go wrong with
the world itself are methods: it can be away, come back older, or empty.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
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
        self._rooms: dict[RoomId, MemoryRoom] = {}
        self._leases: dict[NodeId, Lease] = {}
        self._past: deque[_Past] = deque(maxlen=remembered)
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
        while taken < count and self._past:
            past = self._past.pop()
            self._rooms, self._leases = past.rooms, past.leases
            taken += 1
        return taken

    def wipe(self) -> None:
        """Forgets everything."""
        self._rooms, self._leases = {}, {}
        self._past.clear()

    def reachable(self, writer: str) -> bool:
        """Whether a process reaches it."""
        return not self._away and writer not in self._cut

    # What the adapters use

    async def ask(self, writer: str, what: str, operation: Callable[[], T]) -> T:
        """Carries out a command of a process. Raises what it raises, and StoreUnavailable."""

        def carried_out() -> T:
            if not self.reachable(writer):
                raise StoreUnavailable("The shared store cannot be reached; it is tried again.")
            return operation()

        return await self.network.reach(writer, what, carried_out)

    def room(self, name: RoomId) -> MemoryRoom:
        """A room as it is now; an empty one if there is none."""
        return self._rooms.get(name, NOTHING)

    def rooms(self) -> list[tuple[RoomId, MemoryRoom]]:
        """All rooms that have something stored, by name."""
        return [(name, self._rooms[name]) for name in sorted(self._rooms) if self._rooms[name].stored]

    def put(self, name: RoomId, room: MemoryRoom) -> None:
        """Makes a room be this from now on."""
        self._remember()
        self._rooms[name] = room

    def fresh_log(self) -> str:
        """An identity that no log has had."""
        return f"{self._random.getrandbits(64):016x}"

    def lease(self, node: NodeId, lease: Lease | None) -> None:
        """Begins, renews or ends (None) a node's lease."""
        self._remember()
        leases = {other: held for other, held in self._leases.items() if other != node}
        if lease is not None:
            leases[node] = lease
        self._leases = leases

    def live(self) -> dict[NodeId, bytes]:
        """All nodes whose lease is good, with what they say of themselves."""
        now = self.clock.monotonic()
        return {node: lease.about for node, lease in sorted(self._leases.items()) if lease.until > now}

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
        """The buses of all other processes."""
        return [bus for name, bus in self._buses.items() if name != writer]

    def _remember(self) -> None:
        if self._past.maxlen:
            self._past.append(_Past(dict(self._rooms), self._leases))

    def _told(self) -> None:
        for writer, bus in list(self._buses.items()):
            bus.reached(reachable=self.reachable(writer))
