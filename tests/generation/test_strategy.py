from __future__ import annotations

import pytest

from collab.ids import FileId, FilePath
from generation.context.material import Material, Relevance
from generation.context.pieces import Context
from generation.context.selection import Candidate, select
from generation.strategy import choose
from generation.views import StrategyName

FILES = {"app.py": "x = 1\n", "other.py": "y = 2\n"}


def context(prompt: str, files: dict[str, str]) -> Context:
    candidates = [Candidate(FileId(path), FilePath(path)) for path in files]
    return select(candidates, files.__getitem__, prompt, [], 10_000)


@pytest.mark.parametrize(
    ("prompt", "files", "expected"),
    [
        ("make a game", {}, "full"),
        ("rewrite everything", FILES, "full"),
        ("fix app.py", FILES, "targeted"),
        ("fix it", {"app.py": "x"}, "targeted"),
        ("fix app.py and add a test", FILES, "selective"),
        ("fix it", FILES, "selective"),
    ],
)
def test_the_choice_follows_the_prompt_and_the_project(
    prompt: str, files: dict[str, str], expected: StrategyName
) -> None:
    strategy = choose(prompt, context(prompt, files))
    assert strategy.name == expected
    assert strategy.why.endswith(".")


def test_what_is_asked_for_is_taken() -> None:
    assert choose("fix app.py", context("fix app.py", FILES), "full").name == "full"


def test_a_file_that_belongs_to_the_request_far_more_than_all_others_is_what_it_is_about() -> None:
    related = {FileId("app.py"): Relevance(0.9, "its words are those of the request")}
    candidates = [Candidate(FileId(path), FilePath(path)) for path in FILES]
    chosen = select(candidates, FILES.__getitem__, "fix it", [], 10_000, "", Material(relevance=related))
    strategy = choose("fix it", chosen)
    assert strategy.name == "targeted"
    assert "app.py (its words are those of the request)" in strategy.why


def test_several_named_files_are_told() -> None:
    strategy = choose("let app.py use other.py", context("let app.py use other.py", FILES))
    assert (strategy.name, "2 files (app.py, other.py)" in strategy.why) == ("selective", True)
