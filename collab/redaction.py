"""Takes secrets out of a text that goes into a log or a record, by their form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "***"

_QUERY = re.compile(r"((?:[a-z][a-z0-9+.-]*://|/)[^\s?#\"'<>]*)\?[^\s\"'<>]+", re.IGNORECASE)
_CREDENTIALS = re.compile(r"([a-z][a-z0-9+.-]*://)[^\s/@\"']+@", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"\b(api[_-]?key|token|secret|password|passwd|authorization)(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&}]+",
    re.IGNORECASE,
)
_KEY = re.compile(r"\bsk-[\w-]{6,}")


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets, credentials and query strings of URLs, and whatever looks like a key."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    text = _CREDENTIALS.sub(rf"\1{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1?{HIDDEN}", text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    text = _ASSIGNED.sub(rf"\1\2{HIDDEN}", text)
    return _KEY.sub(f"sk-{HIDDEN}", text)
