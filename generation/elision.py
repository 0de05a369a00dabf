"""Finds lines with which a model leaves out code: ``# ... rest of the file ...``."""

from __future__ import annotations

import re
from typing import Final

_DOTS: Final = r"(?:\.{3,}|…)"
_COMMENT: Final = re.compile(
    r"(?:\#+|//+|--|;+|%|/\*+|<!--|\{/\*|\{\#|\"\"\"|'''|\*|\(\*|REM\b)\s*(?P<text>.*?)\s*(?:\*+/\}?|-->|\#\}|\*\))?"
)
_OTHER: Final = r"(?:existing|remaining|previous|original|other|same|unchanged)"
_THINGS: Final = (
    r"(?:code|lines?|contents?|methods?|functions?|implementation|imports?|logic|file|parts?|fields?|properties|tests?"
    r"|styles?|rules?|routes?|markup|body|class|definitions?|entries|items|cases|sections?)"
)
_WORDS: Final = re.compile(
    rf"(?:(?:rest|remainder)\s+of|{_OTHER}\s+(?:\w+\s+){{0,2}}?{_THINGS}\b"
    r"|(?:code|content|implementation|file|everything\s+else|remains|rest)\s+(?:\w+\s+){0,3}?"
    r"(?:unchanged|as\s+before|the\s+same|here|omitted)"
    r"|unchanged|omitted|same\s+as\s+(?:before|above)|as\s+before|snip(?:ped)?"
    r"|keep\s+(?:the\s+)?(?:rest|existing)|no\s+changes?)",
    re.IGNORECASE,
)
_ONLY: Final = re.compile(
    r"(?:rest\s+of\s+(?:the\s+)?\w+(?:\s+\w+){0,3}"
    rf"|{_OTHER}\s+(?:\w+\s+)?{_THINGS}"
    r"(?:\s+(?:here|unchanged|stays|remains|goes\s+here|remains?\s+(?:unchanged|the\s+same)|as\s+before))?"
    r"|(?:code\s+)?(?:omitted|unchanged)(?:\s+(?:for\s+brevity|code))?"
    r"|same\s+as\s+(?:before|above)|no\s+changes?(?:\s+here)?)\.?",
    re.IGNORECASE,
)
_BARE: Final = re.compile(rf"{_DOTS}|\[\s*{_DOTS}\s*\]|\(\s*{_DOTS}\s*\)|<{_DOTS}>")
_PROSE: Final = (
    ".md",
    ".mdx",
    ".markdown",
    ".rst",
    ".txt",
    ".adoc",
    ".tex",
    ".yml",
    ".yaml",
    ".csv",
    ".diff",
    ".patch",
)


def elides(path: str, line: str, before: str = "") -> bool:
    """Whether a line of a file says that lines are left out here. ``before`` is the last line that is not blank.

    Dots alone are a body in Python, the end of a document in YAML, and text in prose.
    """
    text = line.strip()
    if not text or len(text) > 160:
        return False
    if _BARE.fullmatch(text):
        if path.lower().endswith(_PROSE):
            return False
        python = path.lower().endswith((".py", ".pyi", ".pyw"))
        return not (python and (text == "..." and _may_hold_dots(line, before)))
    found = _COMMENT.fullmatch(text)
    if found is None:
        return False
    said = found["text"].strip()
    dots = re.match(_DOTS, said) or re.search(rf"{_DOTS}$", said)
    if not dots:
        return _ONLY.fullmatch(said) is not None and not path.lower().endswith(_PROSE)
    rest = re.sub(rf"^{_DOTS}|{_DOTS}$", "", said).strip(" .…()[]{}<>-")
    return (not rest and not path.lower().endswith(_PROSE)) or _WORDS.search(rest) is not None


def _may_hold_dots(line: str, before: str) -> bool:
    """In Python: whether dots can be a body here, or go on with one of a docstring alone."""
    indented = line[:1] in {" ", "\t"}
    ended = before.rstrip().endswith((":", '"""', "'''", "[", "(", ",")) or before.lstrip().startswith(("#", "@"))
    return indented and (ended or not before.strip())
