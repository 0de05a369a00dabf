"""How a job goes about its work, by simple rules that can be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from generation.context.pieces import Context, Shown
from generation.views import StrategyName

_FULL: Final = re.compile(
    r"\b(from scratch|rewrite (everything|it all|the (whole|entire) \w+)|new project|scaffold|start over)\b",
    re.IGNORECASE,
)
_SEVERAL: Final = re.compile(
    r"\b(all files|every file|everywhere|across|throughout|new (file|module)|create|add a test)\b",
    re.IGNORECASE,
)
_NAMED: Final = 1.9
"""From this score on (see ``generation.context``) a prompt names a file, or a thing that the file alone defines.
"""
_CLEAR: Final = 0.6
_FAR: Final = 0.6
"""A file with so much of the first one's score at most is far behind."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """The choice and its reason, in words for the room."""

    name: StrategyName
    why: str


def choose(prompt: str, context: Context, asked: StrategyName | None = None) -> Strategy:
    """The strategy for a prompt and what the model will see."""
    if asked is not None:
        return Strategy(asked, "The request asks for it.")
    if context.files == 0:
        return Strategy("full", "The room has no files yet, so whole files are written.")
    if found := _FULL.search(prompt):
        return Strategy("full", f"The prompt says {found[0]!r}, so whole files are written.")
    if found := _SEVERAL.search(prompt):
        return Strategy("selective", f"The prompt says {found[0]!r}, so several files may change.")
    if context.files == 1:
        return Strategy("targeted", "The room has one file, so only places in it change.")
    about = aimed(context)
    if len(about) == 1:
        return Strategy(
            "targeted", f"The prompt is about {about[0].path} ({about[0].why}), so only places in it change."
        )
    if about:
        some = ", ".join(file.path for file in about[:3]) + (" and more" if len(about) > 3 else "")
        return Strategy("selective", f"The prompt concerns {len(about)} files ({some}), so several may change.")
    return Strategy("selective", "The prompt names no single file, so several files may change.")


def aimed(context: Context) -> list[Shown]:
    """The files that the request is about: those that it names, or one that belongs to it far more than all
    others.
    """
    scores = {one.piece.file: one.piece.score for one in context.of("file")}
    named = [file for file in context.shown if scores[file.id] >= _NAMED]
    pinned = {one.piece.file for one in context.of("file") if one.piece.pinned}
    if about := [file for file in context.shown if file.id in pinned] or named:
        return about
    ranked = [file for file in context.shown if scores[file.id] > 0]
    if (
        ranked
        and scores[ranked[0].id] >= _CLEAR
        and all(scores[file.id] <= _FAR * scores[ranked[0].id] for file in ranked[1:])
    ):
        return ranked[:1]
    return []
