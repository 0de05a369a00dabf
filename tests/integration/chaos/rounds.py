"""One round: people type, something goes wrong, and all must be well again soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.integration.chaos.cluster import Cluster
from tests.integration.chaos.faults import Fault, Scene
from tests.integration.chaos.people import Edit, People, State, digest
from tests.integration.chaos.waiting import POLL_SECONDS, until

TOGETHER: Final = 5
TYPING_MS: Final = 120.0
OPEN_SECONDS: Final = 20.0
GIVE_UP_SECONDS: Final = 30.0
NEVER: Final = float("inf")

StoredText = Callable[[str], Awaitable[str]]
"""What a node that loads the room now would find in Redis."""


@dataclass
class Round:
    """What came of a round. ``missing`` counts edits that were said to be saved and are not there; seconds are
    from the end of the last fault, infinite when it did not happen: until all replicas were equal
    (``converged``), until everybody saw who is there and nobody else (``people``), until all was said to be
    saved (``told``).
    """

    seed: int
    faults: list[str]
    edits: int = 0
    saved: int = 0
    missing: int = 0
    converged: float = NEVER
    told: float = NEVER
    people: float = NEVER
    problems: list[str] = field(default_factory=list)


class Play:
    """Plays rounds on a cluster."""

    def __init__(self, cluster: Cluster, people: People, stored: StoredText, *, brief: bool = False) -> None:
        self._cluster = cluster
        self._people = people
        self._stored = stored
        self._brief = brief
        self._unforeseen = 0

    async def round(self, seed: int, faults: Sequence[Fault]) -> Round:
        """A round in rooms of its own. What it does depends on the seed, as far as processes can."""
        random = Random(seed)
        one = _Room(f"chaos-{seed}", self._cluster, self._people)
        solo = _Room(f"chaos-{seed}-solo", self._cluster, self._people)
        result = Round(seed, [fault.name for fault in faults])
        await one.open(random, TOGETHER)
        await solo.open(random, 1)
        await self._people.until_synced(OPEN_SECONDS)
        await self._people.type(TYPING_MS)

        async def everyone_vanishes() -> None:
            for room, count in ((one, TOGETHER), (solo, 1)):
                await room.vanish()
                await room.join(random, count)

        scene = Scene(self._cluster, random, self._brief, everyone_vanishes)
        await scene.wait(0.5, 1.5)
        async with asyncio.TaskGroup() as tasks:
            for fault in faults:
                tasks.create_task(fault.act(scene))
            if not any(fault.forgets or fault.name == "blackout" for fault in faults):
                tasks.create_task(_leave(scene, solo, random))
        await self._people.type(0)
        await self._settle(result, (one, solo))
        for room in (one, solo):
            await room.check(result, self._stored)
            await room.vanish()
        unforeseen = self._cluster.unforeseen()
        result.problems += unforeseen[self._unforeseen :]
        self._unforeseen = len(unforeseen)
        return result

    async def _settle(self, result: Round, rooms: Sequence[_Room]) -> None:
        start = time.monotonic()
        while time.monotonic() - start < GIVE_UP_SECONDS:
            states = await self._people.states()
            now = time.monotonic() - start
            if result.people == NEVER and all(room.sees_itself(states) for room in rooms):
                result.people = now
            if result.told == NEVER and all(state.saved == state.edits for state in states):
                result.told = now
            if result.converged == NEVER and all([await room.is_equal(states) for room in rooms]):
                result.converged = time.monotonic() - start
            if NEVER not in (result.people, result.told, result.converged):
                return
            await asyncio.sleep(POLL_SECONDS)
        for room in rooms:
            result.problems += await room.differences()


class _Room:
    """A room of a round: who is in it now, and what those who left had been told."""

    def __init__(self, name: str, cluster: Cluster, people: People) -> None:
        self._name = name
        self._cluster = cluster
        self._people = people
        self._here: list[str] = []
        self._left: list[Edit] = []

    async def open(self, random: Random, count: int) -> None:
        """Makes the file, and clients come."""
        await self._cluster.begin(random.choice(self._cluster.nodes), self._name)
        await self.join(random, count)

    async def join(self, random: Random, count: int) -> None:
        """Clients come, each to any node."""
        for _ in range(count):
            at = random.randrange(len(self._cluster.nodes))
            self._here.append(await self._people.open(self._name, at, random))

    async def vanish(self) -> None:
        """All clients go, with all that they have."""
        for name in self._here:
            self._left += await self._people.vanish(name)
        self._here = []

    async def until_synced(self) -> None:
        """Waits until all its clients are in sync."""

        async def synced() -> bool:
            return all(state.synced for state in self._of(await self._people.states()))

        await until(synced, OPEN_SECONDS)

    async def replace(self, random: Random) -> None:
        """Somebody goes, somebody else comes and types."""
        count = len(self._here)
        await self.vanish()
        await self.join(random, count)
        await self._people.type(TYPING_MS, self._here)

    def sees_itself(self, states: Sequence[State]) -> bool:
        """Whether everybody in the room sees everybody else, and nobody who is not there."""
        return all(list(state.people) == sorted(self._here) for state in self._of(states))

    async def is_equal(self, states: Sequence[State]) -> bool:
        """Whether all clients and all nodes have the same text."""
        here = self._of(states)
        digests = {state.digest for state in here}
        if len(digests) != 1 or None in digests or not all(state.synced for state in here):
            return False
        texts = await self._cluster.texts(self._name)
        return all(text is not None and digest(text) in digests for text in texts)

    async def differences(self) -> list[str]:
        """What is not as it should be, in words."""
        found = [
            f"{state.name} at {state.address}: synced {state.synced}, text {state.digest}, "
            f"{state.saved} of {state.edits} edits saved, sees {', '.join(state.people)}"
            for state in self._of(await self._people.states())
        ]
        texts = zip(self._cluster.nodes, await self._cluster.texts(self._name), strict=True)
        found += [f"{node.name}: text {node.refusal if text is None else digest(text)}" for node, text in texts]
        return [f"{self._name}: {one}" for one in found]

    async def check(self, result: Round, stored: StoredText) -> None:
        """Counts the edits, and looks for each one that was said to be saved."""
        edits = [*self._left]
        for name in self._here:
            edits += await self._people.edits(name)
        result.edits += len(edits)
        result.saved += sum(edit.saved for edit in edits)
        places = {
            **{name: await self._people.text(name) for name in self._here},
            "Redis": await stored(self._name),
        }
        for node, text in zip(self._cluster.nodes, await self._cluster.texts(self._name), strict=True):
            if text is not None:
                places[node.name] = text
        missing: set[Edit] = set()
        for place, text in places.items():
            lost = lost_edits(edits, text)
            missing.update(lost)
            if lost:
                result.problems.append(f"{self._name}: {place} lacks {[edit.token for edit in lost][:20]}")
        result.missing += len(missing)
        if result.told != NEVER and len(set(places.values())) > 1:
            result.problems += [
                f"{self._name}: {place} is not as Redis: {_difference(places['Redis'], text)}"
                for place, text in places.items()
                if text != places["Redis"]
            ]

    def _of(self, states: Sequence[State]) -> list[State]:
        return [state for state in states if state.room == self._name]


def lost_edits(edits: Sequence[Edit], text: str) -> list[Edit]:
    """The edits that were said to be saved and cannot be seen in the text."""
    lines = set(text.splitlines())
    removed = {edit.token for edit in edits if not edit.adds}
    return [
        edit
        for edit in edits
        if edit.saved
        and (edit.token not in lines and edit.token not in removed if edit.adds else edit.token in lines)
    ]


def _difference(theirs: str, text: str) -> str:
    here, there = set(text.splitlines()), set(theirs.splitlines())
    if here == there:
        return "the same tokens in another order"
    return f"it lacks {sorted(there - here)[:20]} and has {sorted(here - there)[:20]} more"


async def _leave(scene: Scene, solo: _Room, random: Random) -> None:
    # The room's only writer goes for ever in the middle of it: what it was told is all that counts. It goes while
    # it has a node, so that none of its edits is left waiting for one that never comes.
    await scene.wait(0.3, 4)
    await solo.until_synced()
    await solo.replace(random)
