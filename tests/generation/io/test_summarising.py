from __future__ import annotations

from collections.abc import Sequence

import pytest

from generation.errors import ModelUnavailable
from generation.io.summarising import Summaries
from generation.ports import FinishDelta, TextDelta
from generation.scripted import FixedModels, ScriptedModel, Step

SAID: list[Step] = [TextDelta("It sells\n"), TextDelta("things."), FinishDelta("stop")]


def summaries(script: Sequence[Step]) -> tuple[Summaries, ScriptedModel]:
    model = ScriptedModel(list(script))
    return Summaries(FixedModels(model), model.name), model


async def test_a_model_says_what_a_file_is_about() -> None:
    made, model = summaries(SAID)
    assert await made("shop.py", "sell()\n") == "It sells things."
    assert "shop.py" in model.asked[0][-1].content


@pytest.mark.parametrize(
    "script", [[], [TextDelta("It is cut")], [ModelUnavailable("It is down.")], [FinishDelta("stop")]]
)
async def test_without_a_whole_answer_there_is_no_summary(script: list[Step]) -> None:
    made, _ = summaries(script)
    assert await made("shop.py", "sell()\n") is None


async def test_after_a_failure_it_is_left_alone_for_a_while() -> None:
    made, model = summaries([ModelUnavailable("It is down.")])
    assert await made("a.py", "x") is None
    assert await made("b.py", "y") is None
    assert len(model.asked) == 1
