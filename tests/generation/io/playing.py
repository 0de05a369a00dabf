"""The engine on a real document in memory, for a script that a model plays."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from collab.io.clock import SystemClock
from collab.merge.contest import Resolver
from generation.catalog import ModelSpec
from generation.events import (
    JobFinished,
)
from generation.io.service import GenerationEngine
from generation.offline import OfflineModel
from generation.ports import TextDelta
from generation.scripted import FixedModels, ScriptedModel, Step
from generation.settings import GenerationSettings
from generation.usage import Usage
from generation.views import GenerationRequest, JobView
from tests.generation.fakes import ADA, ROOM, FakeRoom, FakeRooms

QUICK = GenerationSettings(merge_interval_ms=1, backoff_first=0.001, backoff_most=0.001)
ONCE = replace(QUICK, attempts=1)
APP = "def a():\n    return 1\n\n\ndef b():\n    return 2\n"
EDIT = "app.py\n<<<<<<< SEARCH\n    return 1\n=======\n    return 10\n>>>>>>> REPLACE\n"
NEW = "new.py\n````python\nx = 1\n````\n"


@asynccontextmanager
async def running(made: GenerationEngine) -> AsyncIterator[None]:
    """Has an engine work meanwhile."""
    task = asyncio.create_task(made.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def engine(
    room: FakeRoom,
    model: ScriptedModel,
    settings: GenerationSettings = QUICK,
    seed: int = 1,
    resolver: Resolver | None = None,
    specs: Sequence[ModelSpec] = (),
    usage: Usage | None = None,
) -> AsyncIterator[GenerationEngine]:
    made = GenerationEngine(
        FakeRooms(room),
        FixedModels(model, OfflineModel(), specs=specs),
        settings,
        SystemClock(),
        random.Random(seed),
        resolver=resolver,
        usage=usage,
    )
    async with running(made):
        yield made


async def finished(room: FakeRoom, count: int = 1) -> JobView:
    await room.until(lambda: len(room.of(JobFinished)) >= count)
    return room.of(JobFinished)[-1].job


async def ask(made: GenerationEngine, room: FakeRoom, prompt: str = "Return 10 in app.py") -> JobView:
    await made.submit(ROOM, GenerationRequest(prompt), ADA)
    return await finished(room)


class Gate:
    """A step of a script that waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.open.wait()


def text(piece: str) -> Step:
    return TextDelta(piece)
