"""What Python forbids and its grammar lets pass: missing bodies, indentation that does not fit, and more."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from typing import Final

from collab.syntax.parsing import Parsed

MAX_CHARACTERS: Final = 100_000
"""More changed text than that is not looked at."""


def breaks(before: Sequence[Parsed], after: Parsed) -> bool:
    """Whether what changed is valid in ``before`` and is not in ``after``, by the language's own parser.

    Only top-level statements are looked at that are in ``after`` alone, or in ``before`` alone.
    """
    if after.language.name != "python":
        return False
    known = {text for one in before for text in _statements(one)}
    now = _statements(after)
    new = [text for text in now if text not in known]
    if sum(map(len, new)) > MAX_CHARACTERS or all(_valid(text) for text in new):
        return False
    old = known - set(now)
    return sum(map(len, old)) <= MAX_CHARACTERS and all(_valid(text) for text in old)


def _statements(parsed: Parsed) -> list[str]:
    """The text cut before each top-level statement that begins at the left margin."""
    cuts = [node.start_byte for node in parsed.root.children if node.start_point.column == 0]
    return [
        parsed.data[start:end].decode("utf-8", "replace")
        for start, end in zip([0, *cuts], [*cuts, len(parsed.data)], strict=True)
        if end > start
    ]


def _valid(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text.removeprefix("\ufeff"))
        except (SyntaxError, ValueError):
            return False
        except (RecursionError, MemoryError):
            # Nested too deeply to tell.
            return True
    return True
