"""A talk with scripted models: what it asks, writes and tells."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from itertools import count

import pytest

from collab.document import Document
from collab.errors import InvalidInput
from collab.ids import ClientId, FileId, JobId, SuggestionId
from generation.catalog import ModelSpec, Price, Provider
from generation.choice import Plan, Wanted
from generation.errors import ModelUnavailable, StaleEpoch
from generation.io.exchange import Exchange
from generation.io.talking import Talk
from generation.offline import OfflineModel
from generation.pipeline import AnswerWriter
from generation.ports import FinishDelta, Message, TextDelta, UsageDelta
from generation.resilience import Ask
from generation.scripted import FixedModels, ScriptedModel, Step, said
from generation.sent import Purpose
from generation.settings import GenerationSettings
from generation.views import Attempt
from tests.fakes.misbehaving import HandClock

FIRST = "a.py\n````\na = 1\n````\n"
SECOND = "b.py\n````\nb = 1\n````\n"
ASK = [Message("system", "s"), Message("user", "u")]
SETTINGS = GenerationSettings(merge_interval_ms=1)


class Room:
    """Implements generation.io.talking.Listener, and lands what is written in a document of its own."""

    def __init__(self) -> None:
        self.live = Document(ClientId(1))
        numbers = count()
        self.writer = AnswerWriter(
            JobId("j"),
            self.live,
            ClientId(2),
            mode="auto",
            offline=False,
            file_id=lambda: FileId(f"f{next(numbers)}"),
            suggestion_id=lambda: SuggestionId(f"s{next(numbers)}"),
            answer_chars=10_000,
        )
        self.told: list[str] = []
        self.models: list[str] = []
        self.sent: list[list[Message]] = []
        self.attempts: list[Attempt] = []
        self.tokens = 0
        self.over = False

    def check(self) -> None:
        if self.over:
            raise StaleEpoch("over")

    def merge(self) -> None:
        outcome = self.writer.pull(self.live)
        if outcome.update is not None:
            self.writer.merged(self.live.apply([outcome.update], track=True), self.live)

    def counted(self, tokens: int, *, reported: bool = False) -> None:
        self.tokens = tokens

    def writing(self) -> None: ...

    def said(self, detail: str) -> None:
        self.told.append(detail)

    def sending(self, model: str, messages: Sequence[Message], purpose: Purpose = "answer") -> None:
        self.sent.append(list(messages))

    def asking(self, model: ModelSpec, why: str) -> None:
        self.models.append(model.name)

    def tried(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)

    async def until_free(self) -> None: ...

    @property
    def paths(self) -> list[str]:
        self.merge()
        return sorted(file.shown for file in self.live.listing().files.values())


def exchange(*models: ScriptedModel, specs: tuple[ModelSpec, ...] = ()) -> Exchange:
    clock = HandClock()
    return Exchange(
        FixedModels(*models, OfflineModel(), specs=specs), SETTINGS, clock, random.Random(1), clock.pause
    )


def talk(made: Exchange, room: Room) -> Talk:
    return Talk(made, made.plan(None, lambda: Wanted(1, 1)), room)


async def test_a_stream_that_is_ended_from_outside_goes_on_with_what_is_kept() -> None:
    reached, never = asyncio.Event(), asyncio.Event()

    async def stop() -> None:
        reached.set()
        await never.wait()

    model = ScriptedModel([TextDelta(FIRST + "c.py\n````\nc ="), stop], said(SECOND))
    room = Room()
    made = talk(exchange(model), room)
    going = asyncio.create_task(made.go(room.writer, ASK))
    await reached.wait()
    made.again()
    await going
    assert room.paths == ["a.py", "b.py"]
    assert [attempt.outcome for attempt in room.attempts] == ["broken", "answered"]
    assert model.asked[1][:2] == ASK
    assert "a = 1" in model.asked[1][2].content


async def test_a_talk_goes_on_with_the_model_that_answered_last() -> None:
    a = ScriptedModel([ModelUnavailable("Down.")], name="a")
    b = ScriptedModel(said(FIRST), said(SECOND), name="b")
    room = Room()
    made = talk(exchange(a, b), room)
    await made.go(room.writer, ASK)
    await made.go(room.writer, [*ASK, Message("user", "And now repair it.")])
    assert room.models == ["a", "a", "a", "b", "b"]
    assert room.paths == ["a.py", "b.py"]


async def test_the_request_is_worded_for_the_model_that_is_asked() -> None:
    a = ScriptedModel([ModelUnavailable("Down.")], name="a")
    b = ScriptedModel(said(FIRST), name="b")
    room = Room()

    def word(ask: Ask) -> list[Message]:
        return [Message("user", f"for {ask.spec.name}")]

    await talk(exchange(a, b), room).go(room.writer, ASK, word)
    assert a.asked == [ASK] * 3
    assert b.asked == [[Message("user", "for b")]]


async def test_what_is_paid_is_what_the_provider_counted() -> None:
    spec = ModelSpec("a", Provider("p"), "a", price=Price(10.0, 1.0, 20.0))
    script: list[Step] = [TextDelta(FIRST), UsageDelta(1_000, 50, 500), FinishDelta("stop")]
    room = Room()
    await talk(exchange(ScriptedModel(script, name="a"), specs=(spec,)), room).go(room.writer, ASK)
    [attempt] = room.attempts
    assert (attempt.prompt_tokens, attempt.answer_tokens, room.tokens) == (1_000, 50, 50)
    assert attempt.cost == pytest.approx((500 * 10 + 500 * 1 + 50 * 20) / 1_000_000)


async def test_the_longest_answer_is_told_to_a_model_of_the_catalog() -> None:
    asked = []

    class Asked(ScriptedModel):
        def stream(self, messages, limits):  # type: ignore[no-untyped-def]
            asked.append(limits.answer_tokens)
            return super().stream(messages, limits)

    spec = ModelSpec("a", Provider("p"), "a", answer_tokens=900)
    room = Room()
    await talk(exchange(Asked(said(FIRST), name="a"), specs=(spec,)), room).go(room.writer, ASK)
    assert asked == [900]


async def test_a_talk_that_ends_from_outside_leaves_no_load_behind() -> None:
    made, room = exchange(ScriptedModel(said(FIRST), name="a")), Room()
    room.over = True
    with pytest.raises(StaleEpoch):
        await talk(made, room).go(room.writer, ASK)
    assert made.standings.of("a").running == 0


def test_with_several_models_one_is_chosen_and_with_one_it_is_that() -> None:
    a, b = ScriptedModel(name="a"), ScriptedModel(name="b")
    assert [model.name for model in exchange(a, b).plan(None, lambda: Wanted(1, 1)).models] == ["a", "b"]

    def never() -> Wanted:
        raise AssertionError("there is no choice")

    assert exchange(a).plan(None, never).why == "a is the only model that is configured."
    assert exchange().plan(None, never).models[0].name == "offline"
    assert exchange(a, b).plan("b", never) == Plan(
        (exchange(a, b).models.spec("b"),), "The request asks for b.", asked=True
    )
    with pytest.raises(InvalidInput):
        exchange(a).plan("c", never)
