from __future__ import annotations

from collections.abc import Sequence

import pytest

from collab.ids import RoomId
from collab.io.clock import SystemClock
from generation.cache import MemoryAnswers
from generation.errors import ModelUnavailable
from generation.io.answers import Answers
from generation.io.summarising import Summaries
from generation.ports import FinishDelta, TextDelta
from generation.scripted import FixedModels, ScriptedModel, Step
from tests.generation.fakes import ROOM

SAID: list[Step] = [TextDelta("It sells\n"), TextDelta("things."), FinishDelta("stop")]


def summaries(script: Sequence[Step]) -> tuple[Summaries, ScriptedModel]:
    model = ScriptedModel(list(script))
    return Summaries(FixedModels(model), model.name), model


async def test_a_model_says_what_a_file_is_about() -> None:
    made, model = summaries(SAID)
    assert await made(ROOM, "shop.py", "sell()\n") == "It sells things."
    assert "shop.py" in model.asked[0][-1].content


@pytest.mark.parametrize(
    "script", [[], [TextDelta("It is cut")], [ModelUnavailable("It is down.")], [FinishDelta("stop")]]
)
async def test_without_a_whole_answer_there_is_no_summary(script: list[Step]) -> None:
    made, _ = summaries(script)
    assert await made(ROOM, "shop.py", "sell()\n") is None


async def test_after_a_failure_it_is_left_alone_for_a_while() -> None:
    made, model = summaries([ModelUnavailable("It is down.")])
    assert await made(ROOM, "a.py", "x") is None
    assert await made(ROOM, "b.py", "y") is None
    assert len(model.asked) == 1


async def test_what_was_said_of_a_text_is_known_to_all_who_share_the_cache() -> None:
    cache = MemoryAnswers(SystemClock())
    model = ScriptedModel(SAID)
    first, second = (Summaries(FixedModels(model), model.name, Answers(cache, SystemClock())) for _ in range(2))
    assert await first(ROOM, "shop.py", "sell()\n") == "It sells things."
    assert await second(ROOM, "shop.py", "sell()\n") == "It sells things."
    assert len(model.asked) == 1
    assert await second(ROOM, "shop.py", "buy()\n") == "It sells things."
    assert await second(RoomId("another"), "shop.py", "sell()\n") == "It sells things."
    assert len(model.asked) == 3
