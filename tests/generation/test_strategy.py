from __future__ import annotations

import pytest

from collab.ids import FileId, FilePath
from generation.context.selection import Candidate, Context, select
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
