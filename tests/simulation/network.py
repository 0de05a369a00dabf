"""What lies between the nodes of a simulated cluster and what they share, with all that may go wrong there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from collab.errors import StoreUnavailable
from tests.simulation.virtual_loop import VirtualLoop

T = TypeVar("T")


@dataclass
class Faults:
    """How often what happens: chances from 0 to 1, times in seconds."""

    question_lost: float = 0.0
    answer_lost: float = 0.0
    late: float = 0.0
    """A command whose sender has given up is carried out long after."""
    slow: float = 0.0
    slow_seconds: float = 0.0
    dropped: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    delay_seconds: float = 0.0


QUIET = Faults()


class FaultyNetwork:
    """Implements ``collab.shared_memory.Network``."""

    def __init__(self, loop: VirtualLoop, random: Random) -> None:
        self.faults = QUIET
        self.met: dict[str, int] = {}
        """How often each fault has happened."""
        self._loop = loop
        self._random = random
        self._contexts: dict[str, Context] = {}
        self._last: dict[tuple[str, str], float] = {}

    def belongs(self, writer: str, process: str) -> None:
        """What a bus brings to a writer happens in this process."""
        self._contexts[writer] = self._loop.context(process)

    async def reach(self, writer: str, what: str, operation: Callable[[], T]) -> T:
        """See Network.reach."""
        faults, random = self.faults, self._random
        wait = 0.0002 + 0.0008 * random.random()
        if faults.slow and random.random() < faults.slow:
            self._meet("slow")
            wait += random.random() * faults.slow_seconds
        await asyncio.sleep(wait)
        chance = random.random()
        if chance < faults.question_lost:
            self._meet("question lost")
            await asyncio.sleep(random.random() * 2)
            raise StoreUnavailable("The question was lost.")
        chance -= faults.question_lost
        if chance < faults.answer_lost:
            self._meet("answer lost")
            operation()
            await asyncio.sleep(random.random() * 2)
            raise StoreUnavailable("The answer was lost.")
        chance -= faults.answer_lost
        if chance < faults.late:
            self._meet("late")
            self._loop.call_later(0.3 + random.random() * 5, self._late, operation, context=Context())
            await asyncio.sleep(random.random() * 2)
            raise StoreUnavailable("The question took too long.")
        result = operation()
        if random.random() < 0.5:
            await asyncio.sleep(0.0005 * random.random())
        return result

    def carry(self, source: str, target: str, kind: str, deliver: Callable[[], None]) -> None:
        """See Network.carry."""
        context = self._contexts.get(target)
        if context is None:
            return
        faults, random = self.faults, self._random
        times = 1
        wait = 0.0002 + 0.0008 * random.random()
        if kind in {"entries", "message", "direct"}:
            chance = random.random()
            if chance < faults.dropped:
                self._meet("dropped")
                return
            if kind == "entries" and chance < faults.dropped + faults.doubled:
                self._meet("doubled")
                times = 2
            if faults.delayed and random.random() < faults.delayed:
                self._meet("delayed")
                wait += random.random() * faults.delay_seconds
        for _ in range(times):
            at = self._loop.time() + wait
            if kind != "entries":
                # In the order in which they were sent; entries may overtake each other.
                at = max(at, self._last.get((source, target), 0.0) + 1e-6)
                self._last[source, target] = at
            self._loop.call_at(at, deliver, context=context)
            wait += 0.2 * random.random()

    def _late(self, operation: Callable[[], object]) -> None:
        try:
            operation()
        except Exception:  # noqa: BLE001 - nobody is there any more to be told
            self._meet("late and refused")

    def _meet(self, what: str) -> None:
        self.met[what] = self.met.get(what, 0) + 1
