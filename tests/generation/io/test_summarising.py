from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from collab.ids import RoomId
from collab.io.clock import SystemClock
from collab.syntax.syntax import Syntax
from generation.cache import MemoryAnswers
from generation.catalog import Price
from generation.errors import ModelUnavailable, StreamBroken
from generation.io import summarising
from generation.io.answers import Answers
from generation.io.gathering import Gathering
from generation.io.indexing import Indexes
from generation.io.service import GenerationEngine
from generation.io.summarising import Summaries
from generation.ports import FinishDelta, Message, TextDelta, UsageDelta
from generation.scripted import FixedModels, ScriptedModel, Step
from generation.sent import Sent
from generation.settings import GenerationSettings
from generation.views import Attempt, GenerationRequest
from tests.generation.fakes import ADA, ROOM, FakeRoom, FakeRooms
from tests.generation.io.playing import finished, running

SAID: list[Step] = [TextDelta("It sells\n"), TextDelta("things."), FinishDelta("stop")]


def summaries(script: Sequence[Step], price: Price | None = None) -> tuple[Summaries, ScriptedModel]:
    model = ScriptedModel(list(script))
    specs = [replace(FixedModels(model).spec(None), price=price)]
    return Summaries(FixedModels(model, specs=specs), model.name, SystemClock()), model


def nobody(messages: Sequence[Message], attempt: Attempt) -> None:
    """Does not want to know."""


async def test_a_model_says_what_a_file_is_about() -> None:
    made, model = summaries(SAID)
    assert await made(ROOM, "shop.py", "sell()\n", nobody) == "It sells things."
    assert "shop.py" in model.asked[0][-1].content


@pytest.mark.parametrize(
    "script", [[], [TextDelta("It is cut")], [ModelUnavailable("It is down.")], [FinishDelta("stop")]]
)
async def test_without_a_whole_answer_there_is_no_summary(script: list[Step]) -> None:
    made, _ = summaries(script)
    assert await made(ROOM, "shop.py", "sell()\n", nobody) is None


async def test_after_a_failure_it_is_left_alone_for_a_while() -> None:
    made, model = summaries([ModelUnavailable("It is down.")])
    assert await made(ROOM, "a.py", "x", nobody) is None
    assert await made(ROOM, "b.py", "y", nobody) is None
    assert len(model.asked) == 1


async def never() -> None:
    await asyncio.Event().wait()


async def test_what_waits_for_its_turn_is_not_waited_for_longer_than_for_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(summarising, "SECONDS", 0.05)
    told: list[Attempt] = []
    made, model = summaries([never, *SAID])

    async def one(number: int) -> str | None:
        return await made(ROOM, f"f{number}.py", str(number), lambda _, attempt: told.append(attempt))

    async with asyncio.timeout(5):
        assert await asyncio.gather(*map(one, range(10))) == [None] * 10
    # Those that never had their turn took nothing of anybody.
    assert len(model.asked) == len(told) == summarising.AT_ONCE
    assert {(attempt.outcome, attempt.prompt_tokens) for attempt in told} == {("failed", 0)}


async def test_what_was_said_of_a_text_is_known_to_all_who_share_the_cache() -> None:
    cache, clock = MemoryAnswers(SystemClock()), SystemClock()
    model = ScriptedModel(SAID)
    first, second = (Summaries(FixedModels(model), model.name, clock, Answers(cache, clock)) for _ in range(2))
    assert await first(ROOM, "shop.py", "sell()\n", nobody) == "It sells things."
    assert await second(ROOM, "shop.py", "sell()\n", nobody) == "It sells things."
    assert len(model.asked) == 1
    assert await second(ROOM, "shop.py", "buy()\n", nobody) == "It sells things."
    assert await second(RoomId("another"), "shop.py", "sell()\n", nobody) == "It sells things."
    assert len(model.asked) == 3


@pytest.mark.parametrize(
    ("script", "outcome", "tokens", "dollars"),
    [
        ([*SAID, UsageDelta(1_000, 100)], "answered", (1_000, 100), 0.0012),
        ([ModelUnavailable("It is down.")], "failed", (0, 0), 0.0),
        ([TextDelta("It sells"), UsageDelta(10, 5), StreamBroken("It is cut.")], "broken", (10, 5), 0.00002),
    ],
)
async def test_what_a_summary_took_is_told(
    script: list[Step], outcome: str, tokens: tuple[int, int], dollars: float
) -> None:
    told: list[tuple[Sequence[Message], Attempt]] = []
    made, model = summaries(script, Price(1.0, 1.0, 2.0))
    await made(ROOM, "shop.py", "sell()\n", lambda messages, attempt: told.append((messages, attempt)))
    [(messages, attempt)] = told
    assert list(messages) == model.asked[0]
    assert (attempt.model, attempt.outcome) == (model.name, outcome)
    assert (attempt.prompt_tokens, attempt.answer_tokens) == tokens
    assert attempt.cost == pytest.approx(dollars)


async def test_a_summary_counts_to_the_job_that_needed_it_which_shows_what_was_sent() -> None:
    room = FakeRoom({})
    room.add("shop.py", "".join(f"def sell_{number}():\n    return {number}\n\n\n" for number in range(400)))
    clock = SystemClock()
    writer = ScriptedModel([TextDelta("new.py\n````\nx = 1\n````\n"), FinishDelta("stop")])
    teller = ScriptedModel([*SAID, UsageDelta(1_000, 100)], name="teller")
    models = FixedModels(writer, teller)
    summarise = Summaries(models, "teller", clock)
    made = GenerationEngine(
        FakeRooms(room),
        models,
        GenerationSettings(merge_interval_ms=1),
        clock,
        random.Random(1),
        gathering=Gathering(Indexes(clock), Syntax(), clock, summarise=summarise),
    )
    asked = GenerationRequest("Use sell in shop.py to make new.py", model=writer.name)
    async with running(made):
        job = await made.submit(ROOM, asked, ADA)
        done = await finished(room)
    assert done.state == "complete"
    summed, answered = done.attempts
    assert (summed.model, summed.prompt_tokens) == ("teller", 1_000)
    assert answered.model == writer.name
    assert done.prompt_tokens > 1_000
    sent = Sent.from_bytes(room.store["sent"][job.job])
    assert [(one.model, one.purpose) for one in sent.asks] == [("teller", "summary"), (writer.name, "answer")]
    assert [message.content for message in sent.asks[0].messages] == [one.content for one in teller.asked[0]]
