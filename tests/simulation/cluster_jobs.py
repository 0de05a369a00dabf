"""The jobs of a simulated cluster: asked for, cancelled and undone over any node, and what must hold of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from collab.errors import CollabError
from collab.ids import ClientId, PersonId, RoomId
from collab.origin import JobOrigin
from collab.ports import LogEntry
from collab.wire import claims
from generation.states import STAGES
from generation.views import Asker, GenerationRequest, JobView, Priority
from tests.simulation.cluster_node import Node

if TYPE_CHECKING:
    from tests.simulation.cluster_world import ClusterWorld

T = TypeVar("T")
PRIORITIES: tuple[Priority, ...] = ("high", "normal", "low")
ADA = Asker(PersonId("ada"), "Ada")


@dataclass
class _Tries:
    """The client ids under which a job's entries were stored, in order, and the newest fence."""

    clients: list[ClientId]
    fence: int = 0


class Jobs:
    """All jobs that were asked for. Labels are lines' beginnings: each job writes lines with its own."""

    def __init__(self, world: ClusterWorld, room: RoomId) -> None:
        self.labels: dict[str, str] = {}
        """Job id -> label."""
        self.recorded: set[str] = set()
        """Those whose record was stored. One that a node takes while the store is away may die with the node."""
        self._world = world
        self._room = room
        self._count = 0
        self._tries: dict[str, _Tries] = {}
        self._asked: list[tuple[str, asyncio.Task[None]]] = []

    # What people do

    def submit(self) -> None:
        """Somebody asks for a job."""
        self._count += 1
        label = f"J{self._count}"
        # One that names the file waits for all others that write it; one that does not comes to it in its answer.
        named = ("a.txt",) if self._world.random.random() < 0.3 else ()
        priority = self._world.random.choice(PRIORITIES)

        async def work(node: Node) -> None:
            prompt = f"Change some lines. label={label}"
            request = GenerationRequest(prompt, named, "targeted", priority=priority)
            view = await node.engine.submit(self._room, request, ADA)
            self.labels[view.job] = label
            self._world.meet("submitted", view.job, label)

        self._at_some_node("submit", work)

    def cancel(self) -> None:
        """Somebody cancels a job."""
        job = self._some()
        if job is None:
            return

        async def work(node: Node) -> None:
            await node.engine.cancel(self._room, job, ADA)
            self._world.meet("cancelled", job)

        self._at_some_node("cancel", work)

    def pause(self) -> None:
        """Somebody has a job wait."""
        job = self._recent()
        if job is None:
            return

        async def work(node: Node) -> None:
            view = await node.engine.pause(self._room, job, ADA)
            self._world.meet("paused a job", job, view.state)

        self._at_some_node("pause", work)

    def resume(self) -> None:
        """Somebody has a job go on."""
        job = self._recent()
        if job is None:
            return

        async def work(node: Node) -> None:
            view = await node.engine.resume(self._room, job, ADA)
            self._world.meet("resumed a job", job, view.state)

        self._at_some_node("resume", work)

    def steer(self) -> None:
        """Somebody tells a job something further."""
        job = self._recent()
        if job is None:
            return
        self._count += 1
        said = f"Further word {self._count}."

        async def work(node: Node) -> None:
            view = await node.engine.steer(self._room, job, said, ADA)
            self._world.meet("steered a job", job, view.state)
            if view.steers.count(said) != 1:
                self._world.broken(f"job {job} was told {view.steers.count(said)} times: {said}")

        self._at_some_node("steer", work)

    def move(self) -> None:
        """Somebody gives a job another place in the queue, or another priority."""
        job = self._recent()
        if job is None:
            return
        position = self._world.random.randint(1, 4)
        priority = self._world.random.choice(PRIORITIES)
        place = self._world.random.random() < 0.6

        async def work(node: Node) -> None:
            if place:
                view = await node.engine.move(self._room, job, position, ADA)
            else:
                view = await node.engine.prioritise(self._room, job, priority, ADA)
            self._world.meet("moved a job", job, view.position)

        self._at_some_node("move", work)

    def undo(self) -> None:
        """Somebody takes a job back."""
        job = self._some()
        if job is None:
            return

        async def work(node: Node) -> None:
            await node.engine.undo(self._room, job, ADA)
            self._world.meet("undone", job)

        self._at_some_node("undo", work)

    def _some(self) -> str | None:
        jobs = list(self.labels)
        return self._world.random.choice(jobs) if jobs else None

    def _recent(self) -> str | None:
        """One that may not have ended."""
        jobs = list(self.labels)[-3:]
        return self._world.random.choice(jobs) if jobs else None

    def _at_some_node(self, what: str, work: Callable[[Node], Awaitable[None]]) -> None:
        node = self._world.some_node()
        if node is None:
            return

        async def tried() -> None:
            try:
                await work(node)
            except CollabError as error:
                self._world.meet(f"{what} refused", type(error).__name__)

        loop = self._world.loop
        task = loop.create_task(tried(), context=loop.context(node.process))
        self._asked = [(one, other) for one, other in self._asked if not other.done()]
        self._asked.append((node.process, task))

    # What must hold

    def stored(self, entry: LogEntry) -> None:
        """An entry was put into the log, with the fence under which it was written."""
        origin = entry.origin
        if not isinstance(origin, JobOrigin):
            return
        tries = self._tries.setdefault(origin.job, _Tries([]))
        if entry.fence <= 0:
            self._world.broken(f"an entry of job {origin.job} was stored without a fence")
        if entry.fence < tries.fence:
            self._world.broken(f"an entry of job {origin.job} was stored under an older fence")
        tries.fence = entry.fence
        claim = claims(entry.update)
        if claim is None:
            return
        client = claim[0]
        if client in tries.clients[:-1]:
            self._world.broken(f"a late entry of an earlier try of job {origin.job} was stored")
        elif client not in tries.clients:
            if tries.clients:
                self._world.meet("gone on with", origin.job)
            tries.clients.append(client)

    def lost(self) -> None:
        """The store has lost something: older fences may be good again."""
        self._tries.clear()

    async def views(self, node: Node) -> dict[str, JobView]:
        """A node's list of jobs. Raises CollabError."""
        loop = self._world.loop
        work = loop.create_task(node.engine.jobs(self._room), context=loop.context(node.process))
        return {view.job: view for view in await work}

    async def problems(self) -> list[str]:
        """What is not as it must be once the faults are over."""
        lives = self._world.loop.lives
        if any(lives(process) and not task.done() for process, task in self._asked):
            return ["somebody waits for an answer about a job"]
        found: list[str] = []
        lists: dict[int, dict[str, JobView]] = {}
        for node in self._world.nodes:
            try:
                lists[node.number] = await self.views(node)
            except CollabError as error:
                return [f"node {node.number} does not list the jobs: {error.message}"]
        # Last, since the lists took their time, and a node that gets no answer reads what was stored.
        if running := self.running():
            return [f"jobs {running} run"]
        first = next(iter(lists.values()))
        for number, views in lists.items():
            if views != first:
                found.append(f"node {number} has other jobs: {_short(views)} instead of {_short(first)}")
        found += [f"job {view.job} is {view.state}" for view in first.values() if view.state in STAGES]
        found += [
            f"job {view.job} failed without a reason"
            for view in first.values()
            if view.state in {"failed", "cancelled", "interrupted"} and not view.error
        ]
        if not self._world.lost_something:
            missing = sorted(self.recorded - set(first))
            if missing:
                found.append(f"jobs {missing} were stored, and are forgotten")
        return found

    def running(self) -> list[str]:
        """The jobs that run, on whichever node."""
        return [job for node in self._world.nodes if node.up for job in node.engine._engine.workers.jobs()]

    async def undo_one(self) -> tuple[str, str] | None:
        """Takes one job back that can be; its id and label."""
        node = self._world.nodes[0]
        for job, view in (await self.views(node)).items():
            if view.can_undo and job in self.labels:
                loop = self._world.loop
                with suppress(CollabError):
                    await loop.create_task(
                        node.engine.undo(self._room, job, ADA), context=loop.context(node.process)
                    )
                    return job, self.labels[job]
        return None


def _short(views: dict[str, JobView]) -> str:
    return ", ".join(f"{job} {view.state}{' undone' if view.undone else ''}" for job, view in views.items())
