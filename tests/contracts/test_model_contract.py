"""What every Model does, held for the adapter over real HTTP, the offline model and the scripted twin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from collab.errors import InvalidInput
from generation.catalog import ModelSpec, Provider
from generation.errors import (
    ContentRefused,
    ContextOverflow,
    ModelRateLimited,
    ModelRefused,
    ModelUnavailable,
    StreamBroken,
)
from generation.io.models import ConfiguredModels
from generation.io.openai_model import OpenAIModel
from generation.offline import OfflineModel
from generation.ports import (
    Delta,
    FinishDelta,
    Message,
    Model,
    ReasoningDelta,
    StreamLimits,
    TextDelta,
    UsageDelta,
)
from generation.prompt import REQUEST
from generation.scripted import FixedModels, ScriptedModel, said
from generation.settings import GenerationSettings
from tests.fakes.openai_server import Answer, FakeOpenAI

KEY = "sk-very-secret-key"
LIMITS = StreamLimits(connect=2, first_token=5, silence=5, total=10)
ASK = [Message("system", "Answer."), Message("user", REQUEST + "write a readme")]


def spec(url: str) -> ModelSpec:
    return ModelSpec("fake", Provider("here", url, KEY), "fake")


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as running:
        yield running


@pytest.fixture
async def model(server: FakeOpenAI) -> AsyncIterator[OpenAIModel]:
    made = OpenAIModel(spec(server.base_url))
    yield made
    await made.aclose()


async def read(model: Model, limits: StreamLimits = LIMITS, ask: Sequence[Message] = ASK) -> list[Delta]:
    return [delta async for delta in model.stream(ask, limits)]


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


@pytest.fixture(params=["openai", "offline", "scripted"])
def any_model(request: pytest.FixtureRequest, model: OpenAIModel) -> Model:
    made: dict[str, Model] = {
        "openai": model,
        "offline": OfflineModel(),
        "scripted": ScriptedModel(said("Nothing to do.")),
    }
    return made[str(request.param)]


async def test_an_answer_is_text_and_ends_with_a_reason(any_model: Model) -> None:
    deltas = await read(any_model)
    assert text_of(deltas)
    assert [delta for delta in deltas if isinstance(delta, FinishDelta)] == [FinishDelta("stop")]


async def test_a_model_answers_more_than_once(any_model: Model) -> None:
    assert text_of(await read(any_model)) == text_of(await read(any_model))


async def test_a_stream_may_be_left_early(any_model: Model) -> None:
    stream = any_model.stream(ASK, LIMITS)
    async for _ in stream:
        break
    await stream.aclose()  # type: ignore[attr-defined]
    assert text_of(await read(any_model))


async def test_text_usage_and_reasoning_are_told_apart(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer("Hello there, you.", reasoning="Hm.", piece=5)]
    deltas = await read(model)
    assert text_of(deltas) == "Hello there, you."
    assert ReasoningDelta("Hm.") in deltas
    assert UsageDelta(10, 4) in deltas


async def test_the_request_carries_the_messages_the_model_and_the_key(
    server: FakeOpenAI, model: OpenAIModel
) -> None:
    await read(model)
    [request] = server.script.requests
    assert request["model"] == "fake"
    assert request["messages"][0] == {"role": "system", "content": "Answer."}
    assert request["authorization"] == f"Bearer {KEY}"


async def test_missing_ids_and_usage_are_no_problem(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer("abc", scenario="bare")]
    assert await read(model) == [TextDelta("abc"), FinishDelta("stop")]


async def test_a_server_without_stream_options_is_asked_again_without(
    server: FakeOpenAI, model: OpenAIModel
) -> None:
    server.script.answers = [Answer("abc", scenario="no_stream_options")]
    assert text_of(await read(model)) == "abc"
    assert ["stream_options" in request for request in server.script.requests] == [True, False]


async def test_an_answer_without_a_finish_reason_ends_without_one(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer("abc", scenario="no_finish")]
    deltas = await read(model)
    assert text_of(deltas) == "abc"
    assert not any(isinstance(delta, FinishDelta) for delta in deltas)


async def test_an_answer_that_is_too_long_says_so(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer("abc", scenario="length")]
    assert FinishDelta("length") in await read(model)


@pytest.mark.parametrize("scenario", ["cut", "malformed"])
async def test_an_answer_that_breaks_off_is_broken(server: FakeOpenAI, model: OpenAIModel, scenario: str) -> None:
    server.script.answers = [Answer("x" * 100, scenario=scenario)]
    with pytest.raises(StreamBroken, match="broke off"):
        await read(model)


async def test_what_came_while_the_connection_was_left_alone_is_not_lost_with_it(
    server: FakeOpenAI, model: OpenAIModel
) -> None:
    server.script.answers = [Answer("abcdefghij" * 10, scenario="cut", piece=10, after=6)]
    said: list[Delta] = []

    async def listen() -> None:
        async for delta in model.stream(ASK, replace(LIMITS, rest=partial(asyncio.sleep, 0.2))):
            said.append(delta)  # noqa: PERF401 - what came before it broke

    with pytest.raises(StreamBroken, match="broke off"):
        await listen()
    assert text_of(said) == "abcdefghij" * 6


async def test_silence_in_mid_answer_is_a_broken_stream(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer("x" * 100, scenario="stall")]
    with pytest.raises(StreamBroken, match="silent"):
        await read(model, StreamLimits(2, 5, 0.2, 10))


async def test_silence_before_the_first_token_can_be_tried_again(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer(scenario="stall_first")]
    with pytest.raises(ModelUnavailable, match="did not begin"):
        await read(model, StreamLimits(2, 0.2, 5, 10))


async def test_the_total_time_is_bounded(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer("x" * 1000, piece=1, delay=0.02)]
    with pytest.raises(StreamBroken, match="still writing"):
        await read(model, StreamLimits(2, 5, 5, 0.4))


async def test_the_wait_that_a_provider_asks_for_is_told(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer(scenario="rate_limited", retry_after="7")]
    with pytest.raises(ModelRateLimited) as raised:
        await read(model)
    assert raised.value.retry_after == 7


@pytest.mark.parametrize("scenario", ["server_error", "empty", "error_event"])
async def test_a_failure_before_the_first_token_can_be_tried_again(
    server: FakeOpenAI, model: OpenAIModel, scenario: str
) -> None:
    server.script.answers = [Answer(scenario=scenario)]
    with pytest.raises(ModelUnavailable):
        await read(model)
    assert len(server.script.requests) == 1


async def test_a_refused_key_is_final_and_not_repeated_in_the_error(
    server: FakeOpenAI, model: OpenAIModel
) -> None:
    server.script.answers = [Answer(scenario="unauthorized")]
    with pytest.raises(ModelRefused, match="api_key") as raised:
        await read(model)
    assert KEY not in raised.value.message
    assert "[key]" in raised.value.message


@pytest.mark.parametrize(("scenario", "words"), [("not_found", "Check model"), ("html", "base_url")])
async def test_a_wrong_endpoint_is_final(
    server: FakeOpenAI, model: OpenAIModel, scenario: str, words: str
) -> None:
    server.script.answers = [Answer(scenario=scenario)]
    with pytest.raises(ModelRefused, match=words):
        await read(model)


@pytest.mark.parametrize(
    "answer",
    [
        Answer("Too much.", "refused", code="context_length_exceeded"),
        Answer("This model's maximum context length is 8192 tokens.", "refused"),
        Answer("prompt is too long: 208310 tokens > 200000 maximum", "refused"),
        Answer("the request exceeds the available context size", "refused"),
        Answer("Payload too large.", "refused", status=413),
    ],
)
async def test_a_request_that_is_too_long_is_told_apart(
    server: FakeOpenAI, model: OpenAIModel, answer: Answer
) -> None:
    server.script.answers = [answer]
    with pytest.raises(ContextOverflow, match="longer than fake takes"):
        await read(model)


@pytest.mark.parametrize(
    "answer",
    [
        Answer("No.", "refused", code="content_filter"),
        Answer("It triggered our content management policy.", "refused"),
    ],
)
async def test_what_a_content_filter_stops_is_told_apart(
    server: FakeOpenAI, model: OpenAIModel, answer: Answer
) -> None:
    server.script.answers = [answer]
    with pytest.raises(ContentRefused, match="content filter"):
        await read(model)


@pytest.mark.parametrize(
    ("answer", "lasting"),
    [
        (Answer("No.", "refused", status=400), False),
        (Answer("No.", "refused", status=401), True),
        (Answer("Pay.", "refused", status=402), True),
        (Answer("Pay.", "refused", status=429, code="insufficient_quota"), True),
    ],
)
async def test_a_refusal_of_any_request_is_told_from_one_of_this(
    server: FakeOpenAI, model: OpenAIModel, answer: Answer, lasting: bool
) -> None:
    server.script.answers = [answer]
    with pytest.raises(ModelRefused) as raised:
        await read(model)
    assert raised.value.lasting is lasting


async def test_a_wait_may_be_asked_for_in_milliseconds(server: FakeOpenAI, model: OpenAIModel) -> None:
    headers = {"retry-after-ms": "1500", "retry-after": "2"}
    server.script.answers = [Answer("Slow.", "refused", status=429, headers=headers)]
    with pytest.raises(ModelRateLimited) as raised:
        await read(model)
    assert raised.value.retry_after == 1.5


async def test_tokens_that_the_provider_had_cached_are_told(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer("abc", "cached")]
    assert UsageDelta(10, 1, 8) in await read(model)


async def test_a_server_with_another_word_for_the_longest_answer_is_asked_with_it(
    server: FakeOpenAI, model: OpenAIModel
) -> None:
    server.script.answers = [Answer("abc", "no_max_tokens")]
    limits = StreamLimits(2, 5, 5, 10, answer_tokens=500)
    assert text_of(await read(model, limits)) == "abc"
    assert text_of(await read(model, limits)) == "abc"
    assert [request.get("max_completion_tokens") for request in server.script.requests] == [None, 500, 500]


async def test_without_its_key_a_model_is_not_asked(server: FakeOpenAI) -> None:
    provider = Provider("here", server.base_url, None, "the variable A_KEY is not set")
    model = OpenAIModel(ModelSpec("fake", provider, "fake"))
    with pytest.raises(ModelRefused, match="A_KEY is not set"):
        await read(model)
    await model.aclose()
    assert server.script.requests == []


async def test_the_provider_is_asked_for_the_model_by_its_own_name(server: FakeOpenAI) -> None:
    model = OpenAIModel(ModelSpec("ours", Provider("here", server.base_url), "vendor/theirs"))
    await read(model)
    await model.aclose()
    assert (model.name, server.script.requests[0]["model"]) == ("ours", "vendor/theirs")


async def test_a_huge_line_is_read(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer("a", scenario="huge_line")]
    assert len(text_of(await read(model))) == 1_000_001


async def test_nobody_there_can_be_tried_again() -> None:
    with FakeOpenAI() as gone:
        url = gone.base_url
    model = OpenAIModel(spec(url))
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await read(model)
    await model.aclose()


async def test_why_nobody_is_there_is_said_in_plain_words() -> None:
    with FakeOpenAI() as gone:
        url = gone.base_url
    model = OpenAIModel(spec(url))
    with pytest.raises(ModelUnavailable, match="Cannot connect to host") as failed:
        await read(model)
    assert "ssl:" not in str(failed.value)
    await model.aclose()


async def test_a_connection_that_stays_open_behind_the_end_is_not_waited_for(
    server: FakeOpenAI, model: OpenAIModel
) -> None:
    server.script.answers = [Answer("All of it.", scenario="lingers")]
    async with asyncio.timeout(LIMITS.silence / 2):
        deltas = await read(model)
    assert text_of(deltas) == "All of it."
    assert not [delta for delta in deltas if isinstance(delta, FinishDelta)]


async def test_leaving_a_stream_closes_its_connection(server: FakeOpenAI, model: OpenAIModel) -> None:
    server.script.answers = [Answer("x" * 100, scenario="stall")]
    stream = model.stream(ASK, LIMITS)
    async for _ in stream:
        break
    await stream.aclose()  # type: ignore[attr-defined]
    assert await asyncio.to_thread(server.script.disconnected.wait, 5)


async def test_configured_models_open_what_is_there() -> None:
    models = ConfiguredModels(GenerationSettings(model="fake", base_url="http://127.0.0.1:9/v1"))
    assert models.default == "fake"
    assert models.open(None).name == "fake"
    assert models.open("other").name == "other"
    assert models.open("offline").offline
    await models.aclose()


def test_without_an_endpoint_only_the_offline_model_is_there() -> None:
    models = ConfiguredModels(GenerationSettings())
    assert models.default is None
    assert models.open(None).offline
    with pytest.raises(InvalidInput, match="No endpoint"):
        models.open("gpt")


def test_fixed_models_name_what_is_there() -> None:
    models = FixedModels(ScriptedModel(name="a"), OfflineModel())
    assert models.default == "a"
    with pytest.raises(InvalidInput, match="a, offline"):
        models.open("b")
