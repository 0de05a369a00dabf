"""The fourth stage: the end of the answer is read, and its last changes land."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generation.pipeline import AnswerWriter
from generation.stages.generate import Generated


@dataclass(frozen=True, slots=True)
class Processed:
    """An answer of which nothing more is to come. ``paths`` are those that it changes or proposes to change."""

    paths: tuple[str, ...]
    problems: tuple[str, ...]


def post_process(generated: Generated, land: Callable[[AnswerWriter], None]) -> Processed:
    """Lands what is left, then judges the answer.

    Raises StreamBroken if it is not complete, GenerationError if it changes nothing.
    """
    writer = generated.writer
    writer.finish(ended=generated.talk.ended)
    land(writer)
    generated.talk.judge(writer)
    return Processed(tuple(writer.paths), tuple(writer.problems))
