"""Recognises which file a line of an answer names, in the ways in which models write it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_BARE_NAMES: Final = frozenset(
    (
        "Makefile", "Dockerfile", "Containerfile", "Procfile", "Gemfile", "Rakefile", "Justfile",
        "Vagrantfile", "Jenkinsfile", "LICENSE", "LICENCE", "README", "CHANGELOG", "CODEOWNERS",
        "NOTICE", "AUTHORS",
    )
)  # fmt: skip
_EXTENSION: Final = re.compile(r"[^/\s]\.[A-Za-z0-9_+\-]{1,16}$|^\.[A-Za-z][\w.\-]*$|/\.[A-Za-z][\w.\-]*$")
_LINE: Final = re.compile(
    r"""^\s*(?:\#{1,6}\s+|[-+]\s+|\*\s+|\d{1,3}[.)]\s+)?   # a heading, a list item
        (?:\*\*)?\s*(?:(?:file|path|filename)\s*:\s*)?(?:\*\*)?\s*
        (?P<tick>`?)(?P<path>[^`<>|"*?]+?)(?P=tick)
        \s*(?:\*\*)?\s*(?:\([^()]*\))?\s*:?\s*(?:\*\*)?\s*$""",
    re.VERBOSE | re.IGNORECASE,
)
_TICKED: Final = re.compile(r"`([^`]+)`")
_ATTRIBUTE: Final = re.compile(r"""(?:^|\s)(?:path|file|filename|title)\s*=\s*(?:"([^"]+)"|'([^']+)'|(\S+))""")


def looks_like_path(text: str, known: Collection[str] = ()) -> bool:
    """Whether a text can only be meant as a file's path. It need not be an allowed one."""
    if text in known:
        return True
    if not text or len(text) > 1100 or text.endswith(("/", ".")) or "://" in text or not text.isprintable():
        return False
    return (
        bool(_EXTENSION.search(text))
        or text.rpartition("/")[2] in _BARE_NAMES
        or ("/" in text and " " not in text)
    )


def line_path(line: str, known: Collection[str] = ()) -> str | None:
    """The path that is all of this line, under whatever decoration; None if the line says anything else."""
    if len(line) > 1200:
        return None
    if line.strip() in known:
        return line.strip()
    found = _LINE.match(line)
    if found is None:
        return None
    path = _plain(found["path"])
    if " " in path and not found["tick"] and path not in known:
        return None
    return path if looks_like_path(path, known) else None


def mentioned_path(line: str, known: Collection[str] = ()) -> str | None:
    """The last path in backticks that a sentence mentions."""
    paths = [_plain(path) for path in _TICKED.findall(line)]
    return next((path for path in reversed(paths) if looks_like_path(path, known)), None)


def fence_path(info: str, known: Collection[str] = ()) -> str | None:
    """The path in a fence's info string: ``py a/b.py``, ``py:a/b.py``, ``a/b.py``, ``title="a/b.py"``."""
    attribute = _ATTRIBUTE.search(info)
    if attribute:
        return _plain(next(group for group in attribute.groups() if group))
    language, _, rest = info.strip().partition(" ")
    rest = _plain(rest)
    if rest:
        return rest if looks_like_path(rest, known) else None
    before, colon, after = language.partition(":")
    if colon and before.replace("+", "").replace("-", "").isalnum() and looks_like_path(after, known):
        return _plain(after)
    return _plain(language) if looks_like_path(language, known) else None


def _plain(path: str) -> str:
    path = path.strip()
    while path.startswith("./"):
        path = path[2:]
    return path
