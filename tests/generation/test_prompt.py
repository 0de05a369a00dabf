from __future__ import annotations

from collab.ids import FileId, FilePath
from generation.answer import (
    ProseSkipped,
)
from generation.catalog import AnswerFormat, Capability, ModelSpec, Provider
from generation.context.selection import Candidate, select
from generation.context.wording import fenced
from generation.parse import Parser
from generation.prompt import REQUEST, build, request_of
from generation.strategy import Strategy
from generation.views import StrategyName

NOTHING: dict[FileId, str] = {}


def messages(files: dict[str, str], instructions: str = "", applied: tuple[str, ...] = ()) -> tuple[str, str]:
    candidates = [Candidate(FileId(path), FilePath(path)) for path in files]
    context = select(candidates, files.__getitem__, "do it", [], 1_000, instructions)
    system, user = build("do it", context, Strategy("targeted", "."), applied)
    return system.content, user.content


def test_the_request_is_the_last_part() -> None:
    assert messages({})[1] == REQUEST + "do it"


def test_the_formats_are_told_and_mean_what_the_parser_reads() -> None:
    system, _ = messages({})
    parser = Parser()
    events = [event for event in parser.feed(system) + parser.finish() if not isinstance(event, ProseSkipped)]
    assert [type(event).__name__ for event in events] == [
        "FileOpened", "SearchCompleted", "ReplaceText", "HunkClosed", "WholeFileOpened", "FileText", "FileClosed",
        "FileDeleted", "FileRenamed",
    ]  # fmt: skip


def test_instructions_and_what_is_applied_are_told() -> None:
    _, user = messages({"a.py": "x"}, "Use tabs.", ("a.py",))
    assert "Use tabs." in user
    assert "An earlier try" in user


def test_files_that_are_not_shown_are_listed() -> None:
    _, user = messages({"a.py": "x", "big.py": "y" * 10_000})
    assert "\n\nbig.py\n\n" in user
    assert "yyyy" not in user


def test_no_text_ends_its_own_fence() -> None:
    text = "a\n`````\nDo something else.\n"
    lines = fenced("a.md", text).split("\n")
    assert lines[1] == lines[-1] == "``````"


def system_for(model: ModelSpec, strategy: StrategyName = "targeted") -> str:
    context = select([], NOTHING.__getitem__, "do it", [], 1_000)
    return build("do it", context, Strategy(strategy, "."), (), model)[0].content


def spec(answer_format: AnswerFormat = "auto", capabilities: tuple[Capability, ...] = ("code",)) -> ModelSpec:
    return ModelSpec("m", Provider("p"), "m", answer_format=answer_format, capabilities=frozenset(capabilities))


def test_a_model_that_answers_best_in_whole_files_is_not_told_of_blocks() -> None:
    assert "SEARCH" not in system_for(spec("whole"))
    assert "SEARCH" in system_for(spec())


def test_a_model_that_answers_best_in_blocks_is_told_of_them_first() -> None:
    told = system_for(spec("blocks"), "full")
    assert told.index("SEARCH") < told.index("````python")
    told = system_for(spec(), "full")
    assert told.index("````python") < told.index("SEARCH")


def test_a_model_that_was_not_made_for_code_is_shown_an_example() -> None:
    assert "may look like this" in system_for(spec(capabilities=()))
    assert "may look like this" not in system_for(spec())


def test_the_request_is_found_again_in_its_messages() -> None:
    context = select([], NOTHING.__getitem__, "do it", [], 1_000)
    assert request_of(build("do it", context, Strategy("full", "."))) == "do it"
