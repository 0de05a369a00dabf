"""``pairloom models`` against an endpoint that behaves, and one that does not."""

from __future__ import annotations

import json

import pytest

from generation.catalog import Catalog, ModelSpec, Price, Provider
from generation.settings import GenerationSettings
from server.commands import models
from tests.fakes.openai_server import Answer, FakeOpenAI

KEY = "sk-very-secret-key"


def settings(*specs: ModelSpec) -> GenerationSettings:
    return GenerationSettings(catalog=Catalog(specs), timeout_first_token=5)


def spec(name: str, url: str, missing_key: str = "") -> ModelSpec:
    provider = Provider("here", url, KEY, missing_key)
    return ModelSpec(name, provider, f"vendor/{name}", price=Price(3.0, 0.3, 15.0))


async def test_models_are_listed_in_order_with_what_they_can(capsys: pytest.CaptureFixture[str]) -> None:
    engine = settings(spec("large", "http://h/v1"), spec("small", "http://h/v1", "the variable A_KEY is not set"))
    assert await models.run(engine, [KEY], probe=False, as_json=False) == 0
    out = capsys.readouterr().out
    assert out.index("large") < out.index("small")
    assert "3 / 0.3 / 15" in out
    assert "small: cannot be asked, the variable A_KEY is not set" in out


async def test_without_models_it_is_said_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert await models.run(GenerationSettings(), [], probe=True, as_json=False) == 0
    assert "Set model" in capsys.readouterr().out


async def test_a_probe_asks_each_and_tells_of_those_that_do_not_answer(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(Answer("OK")) as good, FakeOpenAI(Answer(scenario="unauthorized")) as bad:
        engine = settings(spec("a", good.base_url), spec("b", bad.base_url))
        assert await models.run(engine, [KEY], probe=True, as_json=True) == 1
        assert good.script.requests[0]["model"] == "vendor/a"
    out = capsys.readouterr().out
    first, second = json.loads(out)
    assert first["probe"]["answers"] is True
    assert first["probe"]["first_token_seconds"] is not None
    assert (second["probe"]["answers"], "refuses the key" in second["probe"]["error"]) == (False, True)
    assert KEY not in out


async def test_an_answer_without_a_finish_reason_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(Answer("OK", "no_finish")) as server:
        assert await models.run(settings(spec("a", server.base_url)), [], probe=True, as_json=False) == 1
    assert "without a finish reason" in capsys.readouterr().out
