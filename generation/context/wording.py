"""The context as the model reads it: what changes least first, then the files, then what is of this moment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from generation.context.pieces import Chosen, Context

SEPARATOR_TOKENS: Final = 250
"""What the headings below come to at most."""


def worded(context: Context) -> list[str]:
    """The parts of the message, in their order."""
    parts: list[str] = []
    _say(parts, "The rules of this project, by the people who own it:", [one.text for one in context.of("rules")])
    rules = [fenced(one.piece.name, one.text) for one in context.of("project_rules")]
    _say(parts, "Files in which the project tells its rules; one in a folder speaks for that folder:", rules)
    _say(parts, "The project in short, its most used files with what they define:", _texts(context.of("map")))
    files = context.of("file")
    whole = [fenced(one.piece.name, one.text) for one in files if one.form == "whole"]
    _say(parts, "The files:", whole)
    symbols = [fenced(one.piece.name, one.text) for one in context.of("symbol")]
    _say(
        parts,
        "Parts of files that are too long to be shown, each under its path, the line where it begins, and its "
        "name. Blocks for such a file may search only in what is shown of it:",
        symbols,
    )
    outlines = [fenced(one.piece.name, one.text) for one in files if one.form == "summary"]
    _say(
        parts,
        "Outlines of other files, which are no text of theirs (so do not change them with blocks):",
        outlines,
    )
    if context.others:
        more = (
            context.files - len(context.others) - len({one.piece.file for one in [*files, *context.of("symbol")]})
        )
        listed = "\n".join(context.others) + (f"\nand {more} more" if more > 0 else "")
        _say(parts, "Other files, whose text is not shown (so do not change them with blocks):", [listed])
    _say(parts, "Who is here now, and where:", _texts(context.of("people")))
    _say(parts, "What was asked in this room before, the last one at the end:", _texts(context.of("session")))
    _say(parts, "What the last checks found:", _texts(context.of("runtime")))
    return parts


def fenced(path: str, text: str) -> str:
    """A file as data: its path, and its text in a fence longer than any that the text holds."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=3)
    fence = "`" * max(4, longest + 1)
    end = "" if not text or text.endswith("\n") else "\n"
    return f"{path}\n{fence}\n{text}{end}{fence}"


def _texts(some: Sequence[Chosen]) -> list[str]:
    return [one.text for one in some]


def _say(parts: list[str], heading: str, some: Sequence[str]) -> None:
    if some:
        parts.append(f"{heading}\n\n" + "\n\n".join(some))
