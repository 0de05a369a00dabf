"""How a job goes about its work, by simple rules that can be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from generation.context.selection import Context
from generation.views import StrategyName

_FULL: Final = re.compile(
    r"\b(from scratch|rewrite (everything|it all|the (whole|entire) \w+)|new project|scaffold|start over)\b",
    re.IGNORECASE,
)
_SEVERAL: Final = re.compile(
    r"\b(all files|every file|everywhere|across|throughout|new (file|module)|create|add a test)\b",
    re.IGNORECASE,
)


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
    aimed = [file for file in context.shown if file.why != "small"]
    if found := _SEVERAL.search(prompt):
        return Strategy("selective", f"The prompt says {found[0]!r}, so several files may change.")
    if len(aimed) == 1:
        return Strategy("targeted", f"The prompt is about {aimed[0].path}, so only places in it change.")
    if context.files == 1:
        return Strategy("targeted", "The room has one file, so only places in it change.")
    return Strategy("selective", "The prompt names no single file, so several files may change.")
