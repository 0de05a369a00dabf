"""Prompts that are asked ahead of people."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from collab.io.clock import SystemClock
from collab.origin import JobOrigin
from generation.cache import MemoryAnswers
from generation.errors import ModelRefused
from generation.events import JobFinished
from generation.io.rehearsing import Rehearsal
from generation.io.service import GenerationEngine
from generation.offline import OfflineModel
from generation.prewarm import Wish
from generation.scripted import FixedModels, ScriptedModel, said
from generation.settings import GenerationSettings
from generation.usage import Bounds, Quotas
from generation.views import GenerationRequest, JobView
from tests.generation.fakes import ADA, ROOM, FakeRoom, FakeRooms
from tests.generation.io.playing import running

APP = "def a():\n    return 1\n"
EDIT = "app.py\n<<<<<<< SEARCH\n    return 1\n=======\n    return 10\n>>>>>>> REPLACE\n"
EVERYTHING = (
    EDIT
    + "\nnew.py\n````python\nx = 1\n````\n\nwhole.py\n````python\ny = 2\n````\n\n"
    + "<<<<<<< RENAME old.py => older.py\n\n<<<<<<< DELETE gone.py\n"
)
WISH = Wish(ROOM, "Return 10 in app.py")
SETTINGS = GenerationSettings(merge_interval_ms=1, prewarm=(WISH,))


class Rounds:
    """Waits between two looks until the test wants the next one."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.next = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.done.set()
        self.next.clear()
        await self.next.wait()

    async def look(self) -> None:
        """Has the next look taken."""
        await self.looked()
        self.done.clear()
        self.next.set()
        await self.looked()

    async def looked(self) -> None:
        """Returns when a look is over."""
        async with asyncio.timeout(20):
            await self.done.wait()


@pytest.fixture
def room() -> FakeRoom:
    made = FakeRoom({})
    for path in ("app.py", "whole.py", "old.py", "gone.py"):
        made.add(path, APP)
    return made


@asynccontextmanager
async def warmed(
    room: FakeRoom,
    model: ScriptedModel,
    cache: MemoryAnswers | None = None,
    settings: GenerationSettings = SETTINGS,
) -> AsyncIterator[tuple[GenerationEngine, Rounds]]:
    """An engine whose first look is over."""
    rounds = Rounds()
    clock = SystemClock()
    made = GenerationEngine(
        FakeRooms(room),
        FixedModels(model, OfflineModel()),
        settings,
        clock,
        random.Random(1),
        pause=rounds,
        cache=cache if cache is not None else MemoryAnswers(clock),
    )
    async with running(made):
        await rounds.looked()
        yield made, rounds


async def ask(made: GenerationEngine, room: FakeRoom, prompt: str = WISH.prompt) -> JobView:
    before = len(room.of(JobFinished))
    await made.submit(ROOM, GenerationRequest(prompt), ADA)
    await room.until(lambda: len(room.of(JobFinished)) > before)
    return room.of(JobFinished)[-1].job


async def test_what_was_asked_ahead_is_there_at_once(room: FakeRoom) -> None:
    model = ScriptedModel(said(EDIT))
    async with warmed(room, model) as (made, _):
        job = await ask(made, room)
    assert (job.cached, job.state) == (True, "complete")
    assert len(model.asked) == 1
    assert room.text("app.py") == APP.replace("1", "10")


async def test_nobody_notices(room: FakeRoom) -> None:
    before = room.document.encode()
    async with warmed(room, ScriptedModel(said(EVERYTHING))) as (made, _):
        assert await made.jobs(ROOM) == []
    assert room.events == []
    assert room.presence == {}
    assert room.origins == []
    assert all(not records for records in room.store.values())
    assert room.document.encode() == before


async def test_nothing_is_asked_again_while_nothing_has_changed(room: FakeRoom) -> None:
    model = ScriptedModel(said(EDIT))
    cache = MemoryAnswers(SystemClock())
    async with warmed(room, model, cache) as (_, rounds):
        cache._kept.clear()  # its time is over
        await rounds.look()
    assert len(model.asked) == 1


async def test_what_has_changed_is_asked_anew(room: FakeRoom) -> None:
    model = ScriptedModel(said(EDIT))
    async with warmed(room, model) as (made, rounds):
        file = room.document.file("app.py").id
        room.document.edit(lambda editor: editor.splice(file, 0, 0, "# new\n"))
        await rounds.look()
        assert len(model.asked) == 2
        assert (await ask(made, room)).cached
    assert "# new" in model.asked[1][1].content


@pytest.mark.parametrize("quotas", [Quotas(room=Bounds(tokens=10)), Quotas(server=Bounds(tokens=10))])
async def test_what_was_asked_ahead_counts_for_the_room_and_the_server(
    room: FakeRoom, quotas: Quotas, caplog: pytest.LogCaptureFixture
) -> None:
    model = ScriptedModel(said(EDIT))
    async with warmed(room, model, settings=replace(SETTINGS, quotas=quotas)) as (made, rounds):
        await made.metering.settle()
        file = room.document.file("app.py").id
        room.document.edit(lambda editor: editor.splice(file, 0, 0, "# new\n"))
        await rounds.look()
    assert len(model.asked) == 1
    assert "was not prepared for a prompt" in caplog.text


async def test_what_another_process_has_asked_is_not_asked_again(room: FakeRoom) -> None:
    cache = MemoryAnswers(SystemClock())
    model = ScriptedModel(said(EDIT))
    async with warmed(room, model, cache), warmed(room, model, cache):
        pass
    assert len(model.asked) == 1


async def test_what_another_process_is_asking_is_not_asked_too(room: FakeRoom) -> None:
    cache = MemoryAnswers(SystemClock())
    model = ScriptedModel(said(EDIT))
    async with warmed(room, model, cache):
        cache._kept.clear()  # as if the answer were still to come
        async with warmed(room, model, cache):
            pass
    assert len(model.asked) == 1


async def test_an_answer_that_is_no_good_is_not_kept(room: FakeRoom, caplog: pytest.LogCaptureFixture) -> None:
    cache = MemoryAnswers(SystemClock())
    async with warmed(room, ScriptedModel(said("No.")), cache):
        assert not cache._kept
    assert "was not prepared" in caplog.text


async def test_a_model_that_fails_stops_neither_the_looks_nor_the_jobs(room: FakeRoom) -> None:
    model = ScriptedModel([ModelRefused("Wrong key.")], said(EDIT))
    async with warmed(room, model) as (made, rounds):
        await rounds.look()
        assert (await ask(made, room)).state == "complete"


async def test_a_file_that_is_not_there_is_told_in_the_log(
    room: FakeRoom, caplog: pytest.LogCaptureFixture
) -> None:
    wish = replace(WISH, files=("missing.py",))
    model = ScriptedModel(said(EDIT))
    async with warmed(room, model, settings=replace(SETTINGS, prewarm=(wish,))):
        pass
    assert not model.asked
    assert "missing.py" in caplog.text


async def test_a_rehearsal_cannot_change_the_room(room: FakeRoom) -> None:
    from collab.ids import JobId, PersonId

    rehearsal = Rehearsal(room)
    origin = JobOrigin(JobId("j"), PersonId("p"), b"")
    with pytest.raises(RuntimeError):
        rehearsal.apply(room.document.encode(), origin)
    with pytest.raises(RuntimeError):
        rehearsal.change(lambda editor: editor.create(room.document.file("app.py").id, "b.py", ""), origin)
