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
_TAG: Final = re.compile(
    r"""^\s*<(?:file|edit|path)\s+(?:path|name|file)\s*=\s*["']([^"'<>]+)["']\s*>\s*$""", re.IGNORECASE
)
_LINE: Final = re.compile(
    r"""^\s*(?:\#{1,6}\s+|[-+]\s+|\*\s+|\d{1,3}[.)]\s+)?   # a heading, a list item
        (?:\*\*)?\s*(?:(?:new\s+file|file\s?path|file\s?name|file|path|edit|create|update|modify)\s*:\s*)?(?:\*\*)?\s*
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
    if tag := _TAG.match(line):
        return _plain(tag[1]) if looks_like_path(_plain(tag[1]), known) else None
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


def resolved(path: str, known: Collection[str]) -> str:
    """The path as the project writes it: without quotes, ``./``, and marks that diffs put before it.

    A slash before it, other slashes and ``a/`` or ``b/`` are dropped only where that gives a path that is there.
    """
    path = _plain(path.strip("`\"' \t"))
    if path in known:
        return path
    straight = _plain(path.replace("\\", "/"))
    variants = [straight, straight.lstrip("/")]
    if straight[:2] in {"a/", "b/"}:
        variants.append(straight[2:])
    return next((variant for variant in variants if variant in known), path)


def nearest(path: str, known: Collection[str]) -> str | None:
    """The one path that is there and can be meant by one that is not; None if there is none, or more than one.

    The end of both is the same, or only their case differs.
    """
    path = path.replace("\\", "/").strip("/")
    for near in (
        [one for one in known if one.endswith(f"/{path}")],
        [one for one in known if "/" in one and path.endswith(f"/{one}")],
        [one for one in known if one.casefold() == path.casefold()],
    ):
        if near:
            return near[0] if len(near) == 1 else None
    return None


def _plain(path: str) -> str:
    path = path.strip()
    while path.startswith(("./", ".\\")):
        path = path[2:]
    return path
