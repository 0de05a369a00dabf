"""Whole jobs against a real HTTP endpoint that behaves, and that does not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from collab.io.clock import SystemClock
from generation.events import JobFinished, JobTokens
from generation.io.models import ConfiguredModels
from generation.io.service import GenerationEngine
from generation.settings import GenerationSettings
from generation.views import GenerationRequest, JobView
from tests.fakes.openai_server import Answer, FakeOpenAI
from tests.generation.fakes import ADA, ROOM, FakeRoom, FakeRooms
from tests.generation.io.playing import running

APP = "def a():\n    return 1\n\n\ndef b():\n    return 2\n"
FIRST = "app.py\n<<<<<<< SEARCH\n    return 1\n=======\n    return 10\n>>>>>>> REPLACE\n"
SECOND = "<<<<<<< SEARCH\n    return 2\n=======\n    return 20\n>>>>>>> REPLACE\n"
BOTH = "<think>hm</think>\n" + FIRST + "\nand\n\n" + SECOND
SETTINGS = GenerationSettings(
    model="fake", api_key="sk-x", merge_interval_ms=2, backoff_first=0.001, timeout_silence=0.3
)


@asynccontextmanager
async def engine(room: FakeRoom, server: FakeOpenAI) -> AsyncIterator[GenerationEngine]:
    models = ConfiguredModels(replace(SETTINGS, base_url=server.base_url))
    made = GenerationEngine(FakeRooms(room), models, SETTINGS, SystemClock(), random.Random(1))
    try:
        async with running(made):
            yield made
    finally:
        await models.aclose()


@pytest.fixture
def room() -> FakeRoom:
    made = FakeRoom({})
    made.add("app.py", APP)
    return made


async def finished(room: FakeRoom, count: int) -> JobView:
    await room.until(lambda: len(room.of(JobFinished)) >= count)
    return room.of(JobFinished)[-1].job


@pytest.mark.parametrize("scenario", ["ok", "bare"])
async def test_an_answer_streams_into_the_file(room: FakeRoom, scenario: str) -> None:
    with FakeOpenAI(Answer(BOTH, scenario, delay=0.004)) as server:
        async with engine(room, server) as made:
            await made.submit(ROOM, GenerationRequest("x"), ADA)
            job = await finished(room, 1)
    assert (job.state, job.hunks_applied, job.model) == ("complete", 2, "fake")
    assert room.text("app.py") == APP.replace("return 1", "return 10").replace("return 2", "return 20")
    assert len(room.of(JobTokens)) > 2


@pytest.mark.parametrize("scenario", ["cut", "stall", "malformed", "no_finish"])
async def test_what_breaks_off_keeps_closed_hunks_and_goes_on_with_the_rest(room: FakeRoom, scenario: str) -> None:
    pieces = (len(BOTH) - 18) // 12
    whole = scenario == "no_finish"
    first = Answer(BOTH[:-18] if whole else BOTH, scenario, after=pieces)
    with FakeOpenAI(first, Answer("app.py\n" + SECOND)) as server:
        async with engine(room, server) as made:
            await made.submit(ROOM, GenerationRequest("x"), ADA)
            job = await finished(room, 1)
        requests = server.script.requests
    assert (job.state, job.hunks_applied) == ("complete", 2)
    assert [attempt.outcome for attempt in job.attempts] == ["broken", "answered"]
    assert room.text("app.py") == APP.replace("return 1", "return 10").replace("return 2", "return 20")
    assert requests[1]["messages"][:2] == requests[0]["messages"]
    assert requests[1]["messages"][2] == {"role": "assistant", "content": FIRST.rstrip()}


async def test_a_limit_that_passes_is_waited_for(room: FakeRoom) -> None:
    limited = Answer(scenario="rate_limited", retry_after="0.05")
    with FakeOpenAI(limited, Answer(scenario="server_error"), Answer(FIRST)) as server:
        async with engine(room, server) as made:
            await made.submit(ROOM, GenerationRequest("x"), ADA)
            assert (await finished(room, 1)).state == "complete"
        assert len(server.script.requests) == 3


async def test_cancel_closes_the_connection_to_the_provider(room: FakeRoom) -> None:
    with FakeOpenAI(Answer(BOTH, "stall", after=4)) as server:
        async with engine(room, server) as made:
            job = await made.submit(ROOM, GenerationRequest("x"), ADA)
            assert await asyncio.to_thread(server.script.requested.wait, 5)
            await made.cancel(ROOM, job.job, ADA)
            assert await asyncio.to_thread(server.script.disconnected.wait, 5)
    assert room.text("app.py") == APP
