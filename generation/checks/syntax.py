"""Whether a change breaks the syntax of a file."""

from __future__ import annotations

import ast
import warnings
from typing import Final

from collab.syntax.syntax import Syntax
from generation.checks.finding import Finding

MOST_CHARS: Final = 400_000
_MOST_COMPILED: Final = 100_000
"""Characters of Python that its own parser, which cannot be interrupted, is given to say what is wrong."""
_LOOSE: Final = frozenset({"c", "cpp", "html", "markdown", "yaml"})
"""Languages in whose files a grammar finds errors where there are none: macros, templates. A new file of these is
not judged, and one that is there only if it has been free of errors."""


def check(syntax: Syntax, path: str, base: str, text: str) -> Finding | None:
    """What is wrong with a file that was ``base`` and parsed, or is new; None if nothing is known to be."""
    language = syntax.language(path)
    if language is None or len(text) > MOST_CHARS or not text.strip():
        return None
    new = not base.strip()
    if new and language in _LOOSE:
        return None
    if not syntax.breaks(path, [] if new else [base], text):
        return None
    line, said = _place(syntax, language, path, text)
    was = "it cannot be parsed" if new else "the file could be parsed before this change and cannot be any more"
    return Finding(path, line, "syntax", f"{was}: {said}")


def _place(syntax: Syntax, language: str, path: str, text: str) -> tuple[int, str]:
    if language == "python" and len(text) <= _MOST_COMPILED:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(text.removeprefix("\ufeff"))
        except SyntaxError as error:
            return error.lineno or 0, f"{error.msg}."
        except (ValueError, RecursionError, MemoryError) as error:
            return 0, f"{error}."
    trouble = syntax.trouble(path, text)
    if trouble is None:
        return 0, "it is not well-formed."
    if trouble.missing:
        return trouble.line, f"{trouble.missing!r} is missing."
    return trouble.line, f"unexpected {trouble.near!r}." if trouble.near else "something is not well-formed."
