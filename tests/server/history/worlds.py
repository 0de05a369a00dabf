"""A process with rooms and their history, over a store in memory, with a clock that the test turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

from collab.editor import Editor
from collab.history.thinning import DEFAULT, Policy, parse_steps
from collab.history.version import Version
from collab.ids import ClientId, FileId, PersonId, RoomId
from collab.ledger import Ledger
from collab.limits import Limits
from collab.memory import MemoryStore
from collab.origin import ImportOrigin
from collab.ports import Store
from generation.events import JobFinished, JobProgressed
from generation.views import Asker
from server.history.ports import Host
from server.history.service import History
from server.history.settings import HistorySettings
from server.host import RoomHost
from server.hub import Hub
from tests.collab.replicas import HandClock
from tests.server.native_fakes import job_view

ROOM = RoomId("room")
ANN = Asker(PersonId("Ann"), "Ann")
DAY_MS = 86_400_000


class Kept(MemoryStore):
    """Outlives the process that uses it."""

    async def close(self) -> None:
        """Stays open for the next process."""


class Doors:
    """Lets everything in, and keeps the ledgers."""

    def __init__(self) -> None:
        self.ledgers: list[Ledger] = []
        self.titles: list[str] = []

    async def apply_change(
        self,
        host: Host,
        title: str,
        files: Sequence[str],
        updates: Sequence[bytes],
        client: ClientId,
        ledger: Ledger,
        asker: Asker,
    ) -> str:
        for update in updates:
            host.apply(update, ImportOrigin(asker.person))
            await asyncio.sleep(0)
        self.ledgers.append(ledger)
        self.titles.append(title)
        return f"c{len(self.ledgers)}"


class Process:
    """One process. ``interval`` in seconds."""

    def __init__(
        self, store: MemoryStore, clock: HandClock, *, interval: float = 300.0, most_bytes: int = 10_000_000
    ) -> None:
        async def open_store() -> Store:
            return store

        self.store = store
        self.clock = clock
        self.doors = Doors()
        self.hub = Hub(open_store, Limits(), clock, Random(1), commit_interval=0.0)
        settings = HistorySettings(interval, Policy(parse_steps(DEFAULT), most_bytes))
        self.history = History(self.hub, clock, Random(), settings, doors=self.doors)
        self.hub.on_loaded(self.history.attach)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        async with self.hub.running(), asyncio.TaskGroup() as group:
            task = group.create_task(self.history.run())
            await asyncio.sleep(0)
            try:
                yield self
            finally:
                await self.history.drain()
                task.cancel()

    async def idle(self) -> None:
        """Until no version is being made."""
        while self.history._work:
            await asyncio.wait(self.history._work)

    async def work(self, seconds: float = 301.0) -> None:
        """Lets so much time go by, and makes the versions that are due then."""
        self.clock.now += seconds
        self.history.look()
        await self.idle()

    async def versions(self) -> list[Version]:
        async with self.hub.held(ROOM) as host:
            return await self.history.shelf(host).versions()

    async def causes(self) -> list[str]:
        return [one.cause for one in await self.versions()]


@asynccontextmanager
async def process(
    store: MemoryStore | None = None, clock: HandClock | None = None, **options: float
) -> AsyncIterator[Process]:
    made = Process(store or Kept(), clock or HandClock(), **options)  # type: ignore[arg-type]
    async with made.running():
        yield made


def write(host: RoomHost, path: str, text: str) -> None:
    """Gives a file a text, creating it if need be."""
    file = FileId(f"id-{path}")

    def change(editor: Editor) -> None:
        if file in host.document.listing().files:
            editor.splice(file, 0, len(host.document.text(file)), text)
        else:
            editor.create(file, path, text)

    host.change(change, ImportOrigin(PersonId("Ann")))


def enter(host: RoomHost) -> None:
    """Somebody is in the room."""
    host.set_presence(ClientId(99), {"user": {"name": "Ann", "color": "#000000", "kind": "person"}})


def read(host: RoomHost) -> dict[str, str]:
    return {file.shown: host.document.text(file.id) for file in host.document.listing().files.values()}


def begin_job(host: RoomHost, job: str = "j1") -> None:
    host.announce(JobProgressed(job_view(job=job, state="preparing"), "Preparing."))


def end_job(host: RoomHost, job: str = "j1") -> None:
    host.announce(JobFinished(job_view(job=job, state="complete")))


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - many things make it true
            await asyncio.sleep(0.005)
