"""Another server takes over the shared store while the one before still serves those who have not heard of it."""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.cluster_world import ClusterWorld


class Masters:
    """Who is the master in a simulated cluster, and who knows."""

    def __init__(self, world: ClusterWorld) -> None:
        self._world = world
        self._settled = False

    def depose(self) -> None:
        """Another server takes over. A process has many connections: more or fewer of them lead to the old one,
        until all have turned; its bus turns in its own time.
        """
        world, random = self._world, self._world.random
        world.meet("deposed", world.shared.depose(random.randint(0, 5)))
        world.lose_something()
        for node in world.nodes:
            if not node.writer:
                continue
            longest = random.choice([0.2, 3.0, 10.0])
            times = sorted(random.random() * longest for _ in range(random.randint(1, 4)))
            for at in times:
                astray = 0.0 if at == times[-1] else random.random()
                world.loop.call_later(at, self._turn, node.writer, astray, context=Context())
            at = random.random() * random.choice([0.2, longest])
            world.loop.call_later(at, world.shared.turn_bus, node.writer, context=Context())

    def settle(self) -> None:
        """All have heard of it from now on."""
        self._settled = True
        for node in self._world.nodes:
            if node.writer:
                self._world.shared.turn(node.writer)
                self._world.shared.turn_bus(node.writer)

    def _turn(self, writer: str, astray: float) -> None:
        if not self._settled:
            self._world.trace("turns", writer, f"{astray:.1f}")
            self._world.shared.turn(writer, astray)
