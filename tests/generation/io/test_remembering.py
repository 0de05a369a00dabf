"""Answers that are used again when exactly the same is asked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from collab.errors import StoreUnavailable
from collab.ids import RoomId
from collab.io.clock import SystemClock
from generation.cache import AnswerCache, CachedAnswer, MemoryAnswers
from generation.errors import ModelUnavailable
from generation.events import JobFinished, JobProgressed
from generation.io import answers as answers_module
from generation.io.service import GenerationEngine
from generation.offline import OfflineModel
from generation.scripted import FixedModels, ScriptedModel, Step, said
from generation.settings import GenerationSettings
from generation.views import GenerationRequest, JobView
from tests.generation.fakes import ADA, ROOM, FakeRoom, FakeRooms
from tests.generation.io.playing import running

QUICK = GenerationSettings(merge_interval_ms=1, backoff_first=0.001, backoff_most=0.001)
APP = "def a():\n    return 1\n"
EDIT = "app.py\n<<<<<<< SEARCH\n    return 1\n=======\n    return 10\n>>>>>>> REPLACE\n"
ASKED = GenerationRequest("Return 10 in app.py", mode="review")


@pytest.fixture
def room() -> FakeRoom:
    made = FakeRoom({})
    made.add("app.py", APP)
    return made


@pytest.fixture
def cache() -> MemoryAnswers:
    return MemoryAnswers(SystemClock())


@asynccontextmanager
async def engine(
    room: FakeRoom, model: ScriptedModel, cache: AnswerCache | None, seed: int = 1
) -> AsyncIterator[GenerationEngine]:
    models = FixedModels(model, OfflineModel())
    clock = SystemClock()
    made = GenerationEngine(FakeRooms(room), models, QUICK, clock, random.Random(seed), cache=cache)
    async with running(made):
        yield made


async def ask(made: GenerationEngine, room: FakeRoom, request: GenerationRequest = ASKED) -> JobView:
    before = len(room.of(JobFinished))
    await made.submit(ROOM, request, ADA)
    await room.until(lambda: len(room.of(JobFinished)) > before)
    return room.of(JobFinished)[-1].job


async def test_the_same_request_is_answered_without_a_model(room: FakeRoom, cache: MemoryAnswers) -> None:
    model = ScriptedModel(said(EDIT))
    async with engine(room, model, cache) as made:
        first, second = await ask(made, room), await ask(made, room)
        [one, two] = await made.suggestions(ROOM)
    assert len(model.asked) == 1
    assert (first.cached, second.cached) == (False, True)
    assert (first.state, second.state) == ("needs_review", "needs_review")
    assert (one.before, one.after) == (two.before, two.after)
    assert second.attempts[-1].model == "scripted"
    assert (second.cost, second.prompt_tokens) == (0.0, 0)
    assert any("was asked" in event.detail for event in room.of(JobProgressed) if event.job.job == second.job)


async def test_a_cached_answer_lands_as_the_first_did(room: FakeRoom, cache: MemoryAnswers) -> None:
    model = ScriptedModel(said(EDIT))
    request = replace(ASKED, mode="auto")
    async with engine(room, model, cache) as made:
        first = await ask(made, room, request)
        await made.undo(ROOM, first.job, ADA)
        assert room.text("app.py") == APP
        second = await ask(made, room, request)
    assert second.cached
    assert room.text("app.py") == APP.replace("1", "10")


async def test_another_process_finds_the_answer(room: FakeRoom, cache: MemoryAnswers) -> None:
    async with engine(room, ScriptedModel(said(EDIT)), cache) as made:
        await ask(made, room)
    model = ScriptedModel(said(EDIT))
    async with engine(room, model, cache, seed=2) as made:
        assert (await ask(made, room)).cached
    assert not model.asked


async def test_a_file_that_has_changed_asks_anew(room: FakeRoom, cache: MemoryAnswers) -> None:
    model = ScriptedModel(said(EDIT))
    async with engine(room, model, cache) as made:
        await ask(made, room)
        file = room.document.file("app.py").id
        room.document.edit(lambda editor: editor.splice(file, 0, 0, "# new\n"))
        assert not (await ask(made, room)).cached
    assert len(model.asked) == 2


async def test_a_request_with_fresh_asks_anew_and_its_answer_counts_from_then(
    room: FakeRoom, cache: MemoryAnswers
) -> None:
    model = ScriptedModel(said(EDIT), said(EDIT.replace("10", "11")))
    async with engine(room, model, cache) as made:
        await ask(made, room)
        assert not (await ask(made, room, replace(ASKED, fresh=True))).cached
        assert (await ask(made, room)).cached
        assert [one.after.strip() for one in await made.suggestions(ROOM)] == [
            "return 10",
            "return 11",
            "return 11",
        ]


async def test_without_a_cache_every_request_asks(room: FakeRoom) -> None:
    model = ScriptedModel(said(EDIT))
    async with engine(room, model, None) as made:
        await ask(made, room)
        assert not (await ask(made, room)).cached
    assert len(model.asked) == 2


@pytest.mark.parametrize(
    "bad",
    [
        said("I will not."),
        said(EDIT.replace("return 1\n", "return 7\n") + "\ngone.py\n<<<<<<< DELETE gone.py\n"),
        [*said(EDIT)[:-3]],
    ],
)
async def test_an_answer_that_was_not_good_is_not_used_again(
    room: FakeRoom, cache: MemoryAnswers, bad: list[Step]
) -> None:
    model = ScriptedModel(bad, bad, bad, said(EDIT))
    async with engine(room, model, cache) as made:
        await ask(made, room)
        assert not cache._kept


async def test_an_answer_put_together_of_several_tries_is_not_used_again(
    room: FakeRoom, cache: MemoryAnswers
) -> None:
    model = ScriptedModel([ModelUnavailable("Away.")], said(EDIT))
    async with engine(room, model, cache) as made:
        await ask(made, room)
        assert not cache._kept


async def test_a_retry_asks_anew(room: FakeRoom, cache: MemoryAnswers) -> None:
    model = ScriptedModel(said(EDIT), said("No."), said(EDIT))
    async with engine(room, model, cache) as made:
        await ask(made, room)
        failed = await ask(made, room, replace(ASKED, fresh=True))
        assert failed.state == "failed"
        before = len(room.of(JobFinished))
        await made.retry(ROOM, failed.job, ADA)
        await room.until(lambda: len(room.of(JobFinished)) > before)
        assert not room.of(JobFinished)[-1].job.cached
    assert len(model.asked) == 3


async def test_a_template_is_not_cached(room: FakeRoom, cache: MemoryAnswers) -> None:
    async with engine(room, ScriptedModel(said(EDIT)), cache) as made:
        await ask(made, room, GenerationRequest("Write a README", model="offline"))
        assert not cache._kept


async def test_a_deleted_room_leaves_no_answer_behind(room: FakeRoom, cache: MemoryAnswers) -> None:
    model = ScriptedModel(said(EDIT))
    async with engine(room, model, cache) as made:
        await ask(made, room)
        made.forget(ROOM)
        room.store.clear()
        assert not (await ask(made, room)).cached
    assert len(model.asked) == 2


class Broken:
    """A cache that cannot be reached, or does not answer."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent

    async def _fail(self) -> None:
        if self.silent:
            await asyncio.Event().wait()
        raise StoreUnavailable("Redis is away.")

    async def get(self, room: RoomId, key: str) -> CachedAnswer | None:
        await self._fail()
        return None

    async def put(self, room: RoomId, key: str, answer: CachedAnswer) -> None:
        await self._fail()

    async def claim(self, room: RoomId, key: str, seconds: float) -> bool:
        await self._fail()
        return False

    async def forget(self, room: RoomId) -> None:
        await self._fail()


@pytest.mark.parametrize("silent", [False, True])
async def test_a_cache_that_is_away_costs_no_job(
    room: FakeRoom, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, silent: bool
) -> None:
    monkeypatch.setattr(answers_module, "CACHE_SECONDS", 0.01)
    async with engine(room, ScriptedModel(said(EDIT)), Broken(silent=silent)) as made:
        job = await ask(made, room)
    assert job.state == "needs_review"
    assert "the cache of answers was not asked" in caplog.text
