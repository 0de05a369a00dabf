from __future__ import annotations

import ast

import pytest

from generation.answer import (
    FileClosed,
    FileText,
    ParseEvent,
    ProseSkipped,
    WholeFileOpened,
)
from generation.offline import NO_AI, answer
from generation.parse import Parser


def parsed(prompt: str) -> list[ParseEvent]:
    parser = Parser()
    return parser.feed(answer(prompt)) + parser.finish()


@pytest.mark.parametrize(
    ("prompt", "paths"),
    [
        ("write a README", ["README.md"]),
        ("add a licence", ["LICENSE"]),
        ("add a .gitignore", [".gitignore"]),
        ("an HTML page please", ["index.html"]),
        ("a python module called slugs", ["slugs.py", "test_slugs.py"]),
        ("a readme and a license", ["README.md", "LICENSE"]),
    ],
)
def test_a_template_that_fits_is_written_as_whole_files(prompt: str, paths: list[str]) -> None:
    events = parsed(prompt)
    assert [event.path for event in events if isinstance(event, WholeFileOpened)] == paths
    assert isinstance(events[-1], FileClosed)


@pytest.mark.parametrize("prompt", ["write a README", "sing a song", "", "👍" * 1000])
def test_every_answer_says_that_it_is_no_ai(prompt: str) -> None:
    assert answer(prompt).startswith(NO_AI)


def test_a_request_that_no_template_fits_changes_nothing() -> None:
    assert all(isinstance(event, ProseSkipped) for event in parsed("sing a song"))


def test_the_python_template_is_python() -> None:
    text = "".join(event.text for event in parsed("python function slugify") if isinstance(event, FileText))
    assert "def slugify(" in text
    ast.parse(text.replace("from __future__ import annotations", ""))
