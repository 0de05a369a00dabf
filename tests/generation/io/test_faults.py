"""Whole jobs against providers that fail, seen from both sides: what the room gets, what the provider is asked.

Waits are turned by hand, so that the gaps between requests are exact; limits of time are scaled down.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from generation import catalog
from generation.catalog import Capability, Catalog, ModelSpec, Price
from generation.events import JobFinished, JobProgressed, SuggestionAdded
from generation.io.models import ConfiguredModels
from generation.io.service import GenerationEngine
from generation.settings import GenerationSettings
from generation.views import GenerationRequest, JobView
from tests.fakes.misbehaving import (
    ANSWER_TOKENS,
    PROMPT_TOKENS,
    Behaviour,
    HandClock,
    Provider,
    answers,
    breaks,
    fails,
    resets,
    says_nothing,
)
from tests.generation.fakes import ADA, ROOM, FakeRoom, FakeRooms

APP = "def a():\n    return 1\n\n\ndef b():\n    return 2\n"
FIRST = "app.py\n<<<<<<< SEARCH\n    return 1\n=======\n    return 10\n>>>>>>> REPLACE\n"
SECOND = "app.py\n<<<<<<< SEARCH\n    return 2\n=======\n    return 20\n>>>>>>> REPLACE\n"
BOTH = FIRST + "\n" + SECOND
ONE_DONE = APP.replace("return 1\n", "return 10\n")
BOTH_DONE = ONE_DONE.replace("return 2\n", "return 20\n")
PRICE = Price(prompt=3.0, cached=0.3, answer=15.0)
SETTINGS = GenerationSettings(
    merge_interval_ms=1,
    timeout_connect=2,
    timeout_first_token=0.6,
    timeout_silence=0.3,
    timeout_total=20,
)


class Highest(random.Random):
    """The longest jitter there is, so that waits are 1 s, 2 s, 4 s."""

    def random(self) -> float:
        return 1.0


class Scene:
    """A room, its engine, and its providers by the names of their models, in the order of fallback."""

    def __init__(self, clock: HandClock, room: FakeRoom, engine: GenerationEngine, providers: Sequence[Provider]):
        self.clock = clock
        self.room = room
        self.engine = engine
        self.providers = providers
        self._asked = 0

    async def ask(self, prompt: str = "Return tens in app.py", model: str | None = None) -> JobView:
        """One job, to its end."""
        self._asked += 1
        await self.engine.submit(ROOM, GenerationRequest(prompt, model=model), ADA)
        await self.room.until(lambda: len(self.room.of(JobFinished)) >= self._asked)
        return self.room.of(JobFinished)[-1].job

    @property
    def text(self) -> str:
        return self.room.text("app.py")

    @property
    def requests(self) -> list[int]:
        """How often each provider was asked."""
        return [len(provider.requests) for provider in self.providers]


@asynccontextmanager
async def scene(
    *behaviours: Sequence[Behaviour],
    windows: Sequence[int] = (),
    capabilities: Sequence[frozenset[Capability]] = (),
    settings: GenerationSettings = SETTINGS,
    seed: random.Random | None = None,
) -> AsyncIterator[Scene]:
    clock, room = HandClock(), FakeRoom({})
    room.add("app.py", APP)
    async with AsyncExitStack() as stack:
        providers = [
            await stack.enter_async_context(Provider(clock, *script).listening()) for script in behaviours
        ]
        specs = [
            ModelSpec(
                name,
                catalog.Provider(name, provider.url, "sk-x"),
                f"id-{name}",
                context_tokens=windows[index] if windows else 128_000,
                capabilities=capabilities[index] if capabilities else frozenset({"code"}),
                price=PRICE,
            )
            for index, (name, provider) in enumerate(zip("abc", providers, strict=False))
        ]
        models = ConfiguredModels(replace(settings, catalog=Catalog(specs)))
        stack.push_async_callback(models.aclose)
        engine = GenerationEngine(
            FakeRooms(room), models, settings, clock, seed if seed is not None else Highest(1), pause=clock.pause
        )
        task = asyncio.create_task(engine.run())
        try:
            yield Scene(clock, room, engine, providers)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def outcomes(job: JobView) -> list[tuple[str, str]]:
    return [(attempt.model, attempt.outcome) for attempt in job.attempts]


async def test_429_with_retry_after_is_asked_again_then_and_not_before() -> None:
    async with scene([fails(429, "Slow down.", retry_after="7"), answers(BOTH)]) as seen:
        job = await seen.ask()
        assert (job.state, seen.text) == ("complete", BOTH_DONE)
        assert outcomes(job) == [("a", "failed"), ("a", "answered")]
        assert seen.providers[0].gaps == [7.0]


async def test_429_for_ever_is_asked_three_times_with_growing_gaps_and_fails_with_its_words() -> None:
    async with scene([fails(429, "Slow down.")]) as seen:
        job = await seen.ask()
        assert job.state == "failed"
        assert job.error is not None
        assert "Slow down." in job.error
        assert seen.providers[0].gaps == [1.0, 2.0]
        assert seen.text == APP


async def test_429_for_ever_goes_to_the_next_model() -> None:
    async with scene([fails(429)], [answers(BOTH)]) as seen:
        job = await seen.ask()
        assert (job.state, job.model, seen.text) == ("complete", "b", BOTH_DONE)
        assert seen.requests == [3, 1]
        assert "b is asked instead of a" in job.model_why


async def test_a_long_retry_after_goes_to_the_next_model_at_once_and_so_do_other_jobs() -> None:
    async with scene([fails(429, retry_after="50"), answers(FIRST)], [answers(SECOND), answers(FIRST)]) as seen:
        assert (await seen.ask()).model == "b"
        assert (await seen.ask()).model == "b"
        assert (seen.requests, seen.clock.waits) == ([1, 2], [])


async def test_500_once_is_asked_again_after_a_jittered_wait() -> None:
    async with scene([fails(500), answers(BOTH)], seed=random.Random(3)) as seen:
        assert (await seen.ask()).state == "complete"
        [gap] = seen.providers[0].gaps
        assert 0 < gap < 1


async def test_503_for_ever_goes_to_the_next_model() -> None:
    async with scene([fails(503)], [answers(BOTH)]) as seen:
        job = await seen.ask()
        assert (job.state, job.model, seen.requests) == ("complete", "b", [3, 1])
        assert seen.providers[0].gaps == [1.0, 2.0]


async def test_after_five_failures_a_model_is_not_asked_for_a_minute() -> None:
    async with scene([fails(503)]) as seen:
        await seen.ask()
        second = await seen.ask()
        third = await seen.ask()
        assert seen.requests == [5]
        assert second.error is not None
        assert third.error is not None
        assert "asked again in" in third.error
        assert third.attempts == ()
        seen.clock.now += 60
        await seen.ask()
        assert seen.requests == [6]


async def test_when_all_fail_a_template_is_offered_and_not_merged() -> None:
    async with scene([fails(503)], [fails(401)]) as seen:
        job = await seen.ask("write a readme")
        assert (job.state, job.model, job.offline, job.hunks_pending) == ("needs_review", "offline", True, 1)
        assert job.error is not None
        assert "No model has answered" in job.error
        assert seen.room.document.listing().by_path("README.md") is None
        [added] = seen.room.of(SuggestionAdded)
        assert "template" in added.suggestion.reason
        assert seen.requests == [3, 1]


async def test_a_template_is_not_put_upon_what_a_model_has_written() -> None:
    async with scene([breaks(BOTH, "cut"), fails(503)]) as seen:
        job = await seen.ask("write a readme")
        assert (job.state, job.hunks_applied, seen.text) == ("failed", 1, ONE_DONE)
        assert job.error is not None
        assert "What was complete is kept" in job.error
        assert seen.room.of(SuggestionAdded) == []


async def test_a_reset_before_the_headers_is_asked_again() -> None:
    async with scene([resets, answers(BOTH)]) as seen:
        job = await seen.ask()
        assert (job.state, seen.text) == ("complete", BOTH_DONE)
        assert outcomes(job) == [("a", "failed"), ("a", "answered")]
        assert seen.providers[0].gaps == [1.0]


async def test_no_answer_at_all_ends_at_the_limit_of_the_first_token() -> None:
    quick = replace(SETTINGS, timeout_first_token=0.05, tries=2)
    async with scene([says_nothing], [answers(BOTH)], settings=quick) as seen:
        job = await seen.ask()
        assert (job.state, job.model, seen.requests) == ("complete", "b", [2, 1])
        assert "did not begin to answer within 0.05 s" in job.attempts[0].error


async def test_a_first_token_that_is_late_but_in_time_is_waited_for() -> None:
    # As 20 s are to the limit of 60 s.
    async with scene([answers(BOTH, after=0.2)]) as seen:
        job = await seen.ask()
        assert (job.state, outcomes(job), seen.requests) == ("complete", [("a", "answered")], [1])


@pytest.mark.parametrize("how", ["cut", "stalls", "malformed"])
async def test_what_breaks_in_mid_stream_goes_on_without_doubling_or_losing_a_character(how: str) -> None:
    async with scene([breaks(BOTH, how), answers(SECOND)]) as seen:
        job = await seen.ask()
        assert (job.state, job.hunks_applied, seen.text) == ("complete", 2, BOTH_DONE)
        assert outcomes(job) == [("a", "broken"), ("a", "answered")]
        first, second = seen.providers[0].requests
        assert seen.providers[0].gaps == [1.0]
        assert second.messages[: len(first.messages)] == first.messages
        assert second.messages[-2] == {"role": "assistant", "content": FIRST.rstrip()}


@pytest.mark.parametrize("how", ["cut", "stalls", "malformed"])
async def test_a_model_that_says_all_of_it_again_doubles_nothing(how: str) -> None:
    async with scene([breaks(BOTH, how), answers(BOTH)]) as seen:
        job = await seen.ask()
        assert (job.state, job.hunks_applied, seen.text) == ("complete", 2, BOTH_DONE)
        assert seen.room.of(SuggestionAdded) == []


async def test_another_model_goes_on_where_the_first_broke_off() -> None:
    async with scene([breaks(BOTH, "cut"), fails(503)], [answers(SECOND)]) as seen:
        job = await seen.ask()
        assert (job.state, job.model, seen.text) == ("complete", "b", BOTH_DONE)
        assert outcomes(job) == [("a", "broken"), ("a", "failed"), ("a", "failed"), ("b", "answered")]
        assert "broken off" in seen.providers[1].requests[0].messages[-1]["content"]


async def test_what_is_broken_before_anything_was_complete_is_taken_back_and_begun_anew() -> None:
    async with scene([breaks(BOTH, "cut", share=0.4), answers(BOTH)]) as seen:
        job = await seen.ask()
        assert (job.state, seen.text) == ("complete", BOTH_DONE)
        first, second = seen.providers[0].requests
        assert second.messages == first.messages


async def test_a_missing_done_is_no_failure_where_there_is_a_finish_reason() -> None:
    async with scene([answers(BOTH, done=False)]) as seen:
        job = await seen.ask()
        assert (job.state, seen.requests, seen.text) == ("complete", [1], BOTH_DONE)


async def test_a_missing_finish_reason_is_a_truncation_and_never_a_success() -> None:
    async with scene([answers(FIRST, finish=None), answers(SECOND)]) as seen:
        job = await seen.ask()
        assert (job.state, seen.text) == ("complete", BOTH_DONE)
        assert outcomes(job) == [("a", "broken"), ("a", "answered")]


async def test_an_answer_that_always_lacks_its_finish_reason_fails_and_keeps_what_was_complete() -> None:
    async with scene([answers(FIRST, finish=None)]) as seen:
        job = await seen.ask()
        assert (job.state, job.hunks_applied, seen.text) == ("failed", 1, ONE_DONE)
        assert seen.requests == [3]


async def test_an_answer_that_reaches_its_longest_is_gone_on_with_at_once() -> None:
    async with scene([answers(BOTH[:-40], finish="length"), answers(SECOND)]) as seen:
        job = await seen.ask()
        assert (job.state, seen.text, seen.providers[0].gaps) == ("complete", BOTH_DONE, [0.0])


OVERFLOW = fails(400, "This model's maximum context length is 8192 tokens.", "context_length_exceeded")


async def test_a_context_that_is_too_long_goes_to_a_larger_model() -> None:
    async with scene([OVERFLOW], [answers(BOTH)], [answers(BOTH)], windows=[64_000, 32_000, 128_000]) as seen:
        job = await seen.ask()
        assert (job.state, job.model, seen.requests) == ("complete", "c", [1, 0, 1])


async def test_without_a_larger_model_the_context_is_made_smaller_once() -> None:
    async with scene([OVERFLOW, answers(BOTH)], windows=[16_000]) as seen:
        seen.room.add("large.py", "value = 1\n" * 2_000)
        job = await seen.ask()
        assert (job.state, seen.requests, seen.providers[0].gaps) == ("complete", [2], [0.0])
        first, second = (len(str(request.messages)) for request in seen.providers[0].requests)
        assert second < first


async def test_a_context_that_is_still_too_long_is_not_asked_a_third_time() -> None:
    async with scene([OVERFLOW]) as seen:
        job = await seen.ask()
        assert (job.state, seen.requests) == ("failed", [2])
        assert job.error is not None
        assert "longer than a takes" in job.error


@pytest.mark.parametrize(
    "behaviour", [fails(400, "Filtered.", "content_filter"), answers("Sorry.", finish="content_filter")]
)
async def test_what_a_content_filter_stops_is_asked_of_nobody_again(behaviour: Behaviour) -> None:
    async with scene([behaviour], [answers(BOTH)]) as seen:
        job = await seen.ask("write a readme")
        assert (job.state, job.hunks_pending, seen.requests) == ("failed", 0, [1, 0])
        assert [attempt.outcome for attempt in job.attempts] == ["refused"]
        assert job.error is not None
        assert "filter" in job.error


CAN_PREFILL: frozenset[Capability] = frozenset({"code", "prefill"})
PLAIN: frozenset[Capability] = frozenset({"code"})


async def test_a_model_that_can_goes_on_from_the_end_of_what_is_kept() -> None:
    async with scene([breaks(BOTH, "cut"), answers("\n" + SECOND)], capabilities=[CAN_PREFILL]) as seen:
        assert (await seen.ask()).state == "complete"
        assert seen.providers[0].requests[1].messages[-1] == {"role": "assistant", "content": FIRST.rstrip()}
        assert seen.text == BOTH_DONE


async def test_a_model_that_goes_on_need_not_name_the_file_again() -> None:
    rest = "\n" + SECOND.partition("\n")[2]
    async with scene([breaks(BOTH, "cut"), answers(rest)], capabilities=[CAN_PREFILL]) as seen:
        assert ((await seen.ask()).state, seen.text) == ("complete", BOTH_DONE)


async def test_a_fallback_that_rejects_prefill_is_asked_again_without() -> None:
    script = [fails(400, "Prefilling assistant messages is not supported."), answers(SECOND)]
    async with scene([breaks(BOTH, "cut"), fails(503)], script, capabilities=[PLAIN, CAN_PREFILL]) as seen:
        job = await seen.ask()
        assert (job.state, job.model, seen.text) == ("complete", "b", BOTH_DONE)
        assert [request.messages[-1]["role"] for request in seen.providers[1].requests] == ["assistant", "user"]


async def test_a_fallback_that_did_not_declare_prefill_is_not_sent_any() -> None:
    async with scene([breaks(BOTH, "cut"), fails(503)], [answers(SECOND)]) as seen:
        assert (await seen.ask()).state == "complete"
        assert all(request.messages[-1]["role"] == "user" for request in seen.providers[1].requests)


async def test_a_refused_key_goes_to_the_next_model_without_a_second_request() -> None:
    async with scene([fails(401)], [answers(BOTH)]) as seen:
        job = await seen.ask()
        assert (job.state, job.model, seen.requests) == ("complete", "b", [1, 1])
        assert outcomes(job) == [("a", "refused"), ("b", "answered")]


async def test_a_model_that_somebody_chose_is_not_stood_in_for() -> None:
    async with scene([fails(503)], [answers(BOTH)]) as seen:
        job = await seen.ask(model="a")
        assert (job.state, seen.requests, job.model_why) == ("failed", [3, 0], "The request asks for a.")


async def test_tokens_and_cost_go_to_the_model_that_answered() -> None:
    async with scene([fails(500)], [answers(BOTH)]) as seen:
        job = await seen.ask()
        failed, answered = job.attempts[:3], job.attempts[3]
        assert all((one.prompt_tokens, one.answer_tokens, one.cost) == (0, 0, 0.0) for one in failed)
        assert (answered.model, answered.prompt_tokens, answered.answer_tokens) == (
            "b",
            PROMPT_TOKENS,
            ANSWER_TOKENS,
        )
        dollars = (PROMPT_TOKENS * 3.0 + ANSWER_TOKENS * 15.0) / 1_000_000
        assert answered.cost == pytest.approx(dollars)
        assert (job.prompt_tokens, job.tokens) == (PROMPT_TOKENS, ANSWER_TOKENS)
        assert job.cost == pytest.approx(dollars)


async def test_what_a_broken_answer_took_is_estimated_and_counted_to_its_model() -> None:
    async with scene([breaks(BOTH, "cut"), fails(503)], [answers(SECOND)]) as seen:
        job = await seen.ask()
        broken, answered = job.attempts[0], job.attempts[-1]
        assert (broken.model, broken.outcome, answered.model) == ("a", "broken", "b")
        assert broken.prompt_tokens > 100
        assert 10 < broken.answer_tokens < 40
        assert job.prompt_tokens == broken.prompt_tokens + answered.prompt_tokens
        assert job.tokens == broken.answer_tokens + answered.answer_tokens


async def test_the_room_is_told_why_it_waits_and_who_is_asked_instead() -> None:
    async with scene([fails(503, "Overloaded.")], [answers(BOTH)]) as seen:
        await seen.ask()
        told = [event.detail for event in seen.room.of(JobProgressed)]
    assert any("Overloaded. Trying again in 2.0 s." in detail for detail in told)
    assert any("b is asked instead of a" in detail for detail in told)


async def test_a_primary_that_is_down_for_a_minute_is_stood_in_for_and_returned_to() -> None:
    down = 60.0
    async with scene([fails(503)], [answers(BOTH)]) as seen:
        first, second = seen.providers
        served: list[tuple[float, str, str]] = []
        for number in range(20):
            answer = answers(f"new{number}.py\n````python\nx = {number}\n````\n")
            first.behaviours = [fails(503) if seen.clock.now < down else answer]
            second.behaviours = [answer]
            began = seen.clock.now
            job = await seen.ask("Write a new module")
            served.append((began, job.state, job.model))
            seen.clock.now += 6.0
    assert [state for _, state, _ in served] == ["complete"] * 20
    assert all(model == "b" for began, _, model in served if began < down)
    returned = next(began for began, _, model in served if model == "a")
    assert returned <= down + 30
    assert all(model == "a" for began, _, model in served if began >= returned)
    during = [request for request in first.requests if request.at < down]
    assert len(during) == 5
