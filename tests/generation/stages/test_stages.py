from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import pytest

from collab.document import Document
from collab.errors import NotFound
from collab.ids import ClientId, FileId, JobId, PersonId, SuggestionId
from generation.jobs import Job
from generation.pipeline import AnswerWriter
from generation.ports import Message
from generation.resilience import Ask
from generation.settings import GenerationSettings
from generation.stages.determine import determine
from generation.stages.generate import generate
from generation.stages.integrate import integrate
from generation.stages.post_process import post_process
from generation.stages.prepare import Task, prepare


class Scene:
    """A room, a job in it, and a model's answer that is known beforehand. Implements Talking."""

    def __init__(self, answer: str = "", files: tuple[str, ...] = (), prompt: str = "Change one.") -> None:
        self.answer = answer
        self.asked: Sequence[Message] = ()
        self.judged = 0
        self.live = Document(ClientId(1))
        self.live.edit(lambda editor: editor.create(FileId("f1"), "app.py", "one = 1\n"))
        self.job = Job(
            id=JobId("j1"),
            prompt=prompt,
            asked_by="Ada",
            person=PersonId("p1"),
            model="m",
            offline=False,
            clients=[ClientId(5)],
            color="#000000",
            created_ms=0,
            requested_files=files,
        )
        suggestions = count(1)
        self.writer = AnswerWriter(
            self.job.id,
            self.live,
            self.job.client,
            mode="auto",
            offline=False,
            file_id=lambda: FileId("f2"),
            suggestion_id=lambda: SuggestionId(f"s{next(suggestions)}"),
            answer_chars=10_000,
        )

    def task(self) -> Task:
        return Task(self.job, self.writer, {"instructions": "Be brief."}, GenerationSettings())

    def land(self, writer: AnswerWriter) -> None:
        outcome = writer.pull(self.live)
        if outcome.update is not None:
            writer.merged(self.live.apply([outcome.update], track=True), self.live)

    async def go(
        self,
        writer: AnswerWriter,
        messages: Sequence[Message],
        asking: Callable[[Ask], Sequence[Message]] | None = None,
    ) -> None:
        self.asked = messages
        writer.feed(self.answer)

    def judge(self, writer: AnswerWriter) -> None:
        self.judged = writer.changes


def block(search: str, replace: str) -> str:
    return f"app.py\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n"


def test_the_context_holds_the_rules_and_the_files_of_the_room() -> None:
    context = prepare(Scene().task()).context
    assert [file.path for file in context.shown] == ["app.py"]
    assert context.instructions == "Be brief."


def test_a_named_file_that_is_gone_cannot_be_prepared() -> None:
    with pytest.raises(NotFound, match=r"gone\.py"):
        prepare(Scene(files=("gone.py",)).task())


def test_the_strategy_words_the_request() -> None:
    scene = Scene(prompt="Rewrite everything.")
    determined = determine(scene.job, prepare(scene.task()))
    assert determined.strategy.name == "full"
    assert determined.messages[-1].content.endswith("Rewrite everything.")
    assert determined.tokens > 100


async def test_an_answer_goes_through_all_stages() -> None:
    scene = Scene(block("one = 1\n", "one = (\n"))
    determined = determine(scene.job, prepare(scene.task()))
    generated = await generate(determined, scene.writer, scene)
    assert scene.asked == determined.messages
    processed = post_process(generated, scene.land)
    assert scene.judged == 1
    assert scene.live.text(FileId("f1")) == "one = (\n"
    integrated = integrate(processed, scene.live)
    assert "app.py" in integrated.findings[0]
    assert integrated.problems == ()


async def test_what_is_left_out_of_an_answer_is_told() -> None:
    scene = Scene("none.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n")
    generated = await generate(determine(scene.job, prepare(scene.task())), scene.writer, scene)
    integrated = integrate(post_process(generated, scene.land), scene.live)
    assert "none.py is not there" in integrated.problems[0]
    assert integrated.findings == ()
