from __future__ import annotations

import io
from typing import get_args

import pytest
from rich.console import Console

from server.commands.api import JobAnswer
from server.commands.job_bar import STAGES, JobBar, remaining, stage_of, tokens_of
from server.messages.parts import JobState


def job(**fields: object) -> JobAnswer:
    return JobAnswer.model_validate({"job": "j1", "state": "generating", **fields})


def shown(*jobs: JobAnswer, detail: str = "", terminal: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=200, color_system=None)
    with JobBar(console=console, clock=lambda: 0.0) as bar:
        for one in jobs:
            bar.show(one, detail)
    return out.getvalue()


def test_the_bar_tells_stage_part_tokens_time_and_file() -> None:
    text = shown(
        job(
            progress=0.42,
            tokens=1200,
            expected_tokens=3000,
            eta_seconds=12.4,
            eta_confidence=0.7,
            current_file="src/app.py",
        )
    )
    for part in ("writing", "42%", "1,200 of about 3,000 tokens", "about 12 s left (70% sure)", "src/app.py"):
        assert part in text


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    assert shown(job(progress=0.5), terminal=False).strip() == ""


def test_what_a_terminal_would_act_on_is_not_shown_as_it_is() -> None:
    text = shown(job(current_file="a\x1b]0;evil\x07[red]b.py"))
    assert "\x1b]0;evil" not in text
    assert "[red]b.py" in text


def test_without_a_file_the_servers_words_are_shown() -> None:
    assert "Trying again in 2.0 s." in shown(job(), detail="The model is busy.\n Trying again in 2.0 s.")


@pytest.mark.parametrize(
    ("seconds", "confidence", "said"),
    [
        (0.2, None, "about 0 s left"),
        (89, 0.5, "about 89 s left (50% sure)"),
        (150, 1.0, "about 2 min left (100% sure)"),
    ],
)
def test_the_time_remaining_is_said_in_words(seconds: float, confidence: float | None, said: str) -> None:
    assert remaining(seconds, confidence) == said


def test_tokens_are_told_only_once_there_is_something_to_tell() -> None:
    assert tokens_of(job()) == ""
    assert tokens_of(job(tokens=5)) == "5 tokens"
    assert tokens_of(job(tokens=5, expected_tokens=3)) == "5 tokens"


def test_every_state_before_the_end_has_words() -> None:
    ends = {"complete", "failed", "cancelled", "needs_review", "interrupted"}
    assert set(get_args(JobState)) - ends == set(STAGES) & set(get_args(JobState))
    assert stage_of(job(state="paused")) == "paused"
