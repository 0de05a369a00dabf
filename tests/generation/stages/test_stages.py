from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import count

import pytest

from collab.document import Document
from collab.errors import NotFound
from collab.ids import ClientId, FileId, JobId, PersonId, SuggestionId
from collab.merge.suggestions import Suggestion
from collab.syntax.syntax import Syntax
from generation.checks.checks import Checks
from generation.checks.finding import Finding
from generation.jobs import Job
from generation.pipeline import AnswerWriter
from generation.ports import Message
from generation.repair import Repair
from generation.resilience import Ask
from generation.settings import GenerationSettings
from generation.stages.determine import determine
from generation.stages.generate import generate
from generation.stages.integrate import Integrated, integrate
from generation.stages.post_process import post_process
from generation.stages.prepare import Task, prepare
from generation.views import Mode


class Scene:
    """A room, a job in it, and a model's answer that is known beforehand. Implements Talking."""

    def __init__(
        self,
        answer: str = "",
        files: tuple[str, ...] = (),
        prompt: str = "Change one.",
        text: str = "one = 1\n",
        mode: Mode = "auto",
    ) -> None:
        self.answer = answer
        self.asked: Sequence[Message] = ()
        self.judged = 0
        self.ended = True
        self.suggestions: list[Suggestion] = []
        self.live = Document(ClientId(1))
        self.live.edit(lambda editor: editor.create(FileId("f1"), "app.py", text))
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
        self.job.mode = mode
        self.open()

    def add(self, path: str, text: str) -> None:
        self.live.edit(lambda editor: editor.create(FileId(f"id-{path}"), path, text))

    def open(self) -> None:
        """The job's session begins."""
        suggestions, files = count(1), count(2)
        self.writer = AnswerWriter(
            self.job.id,
            self.live,
            self.job.client,
            mode=self.job.mode,
            offline=False,
            file_id=lambda: FileId(f"f{next(files)}"),
            suggestion_id=lambda: SuggestionId(f"s{next(suggestions)}"),
            answer_chars=10_000,
            defers=True,
        )

    def task(self) -> Task:
        return Task(self.job, self.writer, {"instructions": "Be brief."}, GenerationSettings())

    def land(self, writer: AnswerWriter) -> None:
        outcome = writer.pull(self.live)
        self.suggestions += outcome.suggestions
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
    assert [one.text for one in context.of("rules")] == ["Be brief."]


def test_a_named_file_that_is_gone_cannot_be_prepared() -> None:
    with pytest.raises(NotFound, match=r"gone\.py"):
        prepare(Scene(files=("gone.py",)).task())


def test_the_strategy_words_the_request() -> None:
    scene = Scene(prompt="Rewrite everything.")
    determined = determine(scene.job, prepare(scene.task()))
    assert determined.strategy.name == "full"
    assert determined.messages[-1].content.endswith("Rewrite everything.")
    assert determined.tokens > 100


async def patiently(steps: Generator[None, None, list[Finding]]) -> list[Finding]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return list(end.value)


class Mender:
    """Answers the request for a repair. Implements Mend."""

    def __init__(self, scene: Scene, answer: str | None) -> None:
        self.scene = scene
        self.answer = answer
        self.asked: list[list[Finding]] = []
        self.repair: Repair | None = None

    async def __call__(self, findings: list[Finding]) -> Repair | None:
        self.asked.append(findings)
        if self.answer is None:
            return None
        job, writer = self.scene.job, self.scene.writer
        repair = self.repair = Repair(job.id, job.prompt, writer.draft, findings, writer.refused, 10_000)
        repair.writer.feed(self.answer)
        repair.writer.finish()
        repair.pull()
        return repair


async def run(scene: Scene, mender: Mender) -> Integrated:
    generated = await generate(determine(scene.job, prepare(scene.task())), scene.writer, scene)
    processed = post_process(generated, scene.land)
    integrated = await integrate(processed, scene.writer, Checks(Syntax()), patiently, mender, lambda _: None)
    scene.land(scene.writer)
    return integrated


async def test_an_answer_goes_through_all_stages() -> None:
    scene = Scene(block("one = 1\n", "one = 2\n"))
    mender = Mender(scene, None)
    integrated = await run(scene, mender)
    assert scene.judged == 1
    assert scene.live.text(FileId("f1")) == "one = 2\n"
    assert (integrated.findings, integrated.problems, mender.asked) == ((), (), [])


async def test_what_is_left_out_of_an_answer_is_told() -> None:
    scene = Scene("none.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n")
    integrated = await run(scene, Mender(scene, None))
    assert "none.py is not there" in integrated.problems[0]
    assert integrated.findings == ()


async def test_a_mistake_is_repaired_once() -> None:
    scene = Scene(block("one = 1\n", "one = (\n"))
    mender = Mender(scene, block("one = (\n", "one = (2)\n"))
    integrated = await run(scene, mender)
    assert scene.live.text(FileId("f1")) == "one = (2)\n"
    assert [one.kind for one in mender.asked[0]] == ["syntax"]
    assert integrated.findings == ()
    assert integrated.repaired == ("app.py",)
    assert scene.suggestions == []


async def test_the_model_sees_what_is_wrong_and_the_file_as_it_made_it() -> None:
    scene = Scene(block("one = 1\n", "one = (\n"))
    mender = Mender(scene, "")
    await run(scene, mender)
    assert mender.repair is not None
    asked = mender.repair.messages[-1].content
    assert "app.py, line 1: the file could be parsed before" in asked
    assert "one = (\n" in asked


@pytest.mark.parametrize("answer", [None, "", "I cannot.", block("one = (\n", "one = ((\n")])
async def test_a_mistake_that_is_not_repaired_becomes_a_suggestion_with_the_finding(answer: str | None) -> None:
    scene = Scene(block("one = 1\n", "one = (\n"))
    integrated = await run(scene, Mender(scene, answer))
    assert scene.live.text(FileId("f1")) == "one = 1\n"
    [suggestion] = scene.suggestions
    assert (suggestion.before, suggestion.after) == ("one = 1\n", "one = (\n")
    assert suggestion.findings == (str(integrated.findings[0]),)
    assert "'(' was never closed" in suggestion.reason


async def test_only_the_hunk_that_is_wrong_is_taken_back() -> None:
    scene = Scene(block("one = 1\n", "one = 2\n") + block("two = 1\n", "two = (\n"), text="one = 1\n\ntwo = 1\n")
    await run(scene, Mender(scene, None))
    assert scene.live.text(FileId("f1")) == "one = 2\n\ntwo = 1\n"
    assert [suggestion.after for suggestion in scene.suggestions] == ["two = (\n"]


async def test_a_new_file_that_cannot_be_parsed_is_offered_and_not_there() -> None:
    scene = Scene("new.py\n````\nx = (\n````\n")
    await run(scene, Mender(scene, None))
    assert scene.live.listing().by_path("new.py") is None
    assert [(one.kind, one.after) for one in scene.suggestions] == [("new_file", "x = (\n")]


async def test_a_new_file_is_repaired() -> None:
    scene = Scene("new.py\n````\nx = (\n````\n")
    await run(scene, Mender(scene, "new.py\n````\nx = (1)\n````\n"))
    file = scene.live.listing().by_path("new.py")
    assert file is not None
    assert scene.live.text(file.id) == "x = (1)\n"
    assert scene.suggestions == []


async def test_an_import_of_nothing_is_repaired_in_the_file_of_dependencies() -> None:
    scene = Scene(block("one = 1\n", "import quickjsonx\none = 1\n"))
    scene.add("requirements.txt", "requests\n")
    scene.open()
    answer = "requirements.txt\n<<<<<<< SEARCH\nrequests\n=======\nrequests\nquickjsonx\n>>>>>>> REPLACE\n"
    await run(scene, Mender(scene, answer))
    assert scene.live.text(FileId("id-requirements.txt")) == "requests\nquickjsonx\n"
    assert scene.live.text(FileId("f1")) == "import quickjsonx\none = 1\n"
    assert scene.suggestions == []


async def test_lines_that_are_left_out_are_asked_for_once() -> None:
    scene = Scene("app.py\n````\n# ... existing code ...\ntwo = 2\n````\n")
    mender = Mender(scene, "app.py\n````\none = 1\ntwo = 2\n````\n")
    await run(scene, mender)
    assert scene.live.text(FileId("f1")) == "one = 1\ntwo = 2\n"
    assert mender.repair is not None
    assert "# ... existing code ..." in mender.repair.messages[-1].content
    assert scene.suggestions == []


async def test_lines_that_stay_left_out_are_a_suggestion() -> None:
    scene = Scene("app.py\n````\n# ... existing code ...\ntwo = 2\n````\n")
    await run(scene, Mender(scene, None))
    assert scene.live.text(FileId("f1")) == "one = 1\n"
    [suggestion] = scene.suggestions
    assert "left out" in suggestion.findings[0]


async def test_what_is_only_offered_gets_the_finding_without_a_repair() -> None:
    scene = Scene(block("one = 1\n", "one = (\n"), mode="review")
    mender = Mender(scene, block("one = (\n", "one = (2)\n"))
    integrated = await run(scene, mender)
    assert mender.asked == []
    [suggestion] = scene.suggestions
    assert integrated.noted == {suggestion.suggestion: [str(integrated.findings[0])]}


async def test_a_repair_keeps_what_people_typed_meanwhile() -> None:
    scene = Scene(block("two = 1\n", "two = (\n"), text="one = 1\n\ntwo = 1\n")

    class Typing(Mender):
        async def __call__(self, findings: list[Finding]) -> Repair | None:
            scene.live.edit(lambda editor: editor.splice(FileId("f1"), 0, 0, "# mine\n"))
            return await super().__call__(findings)

    await run(scene, Typing(scene, block("two = (\n", "two = (2)\n")))
    assert scene.live.text(FileId("f1")) == "# mine\none = 1\n\ntwo = (2)\n"
