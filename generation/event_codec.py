"""Events as bytes, for the other nodes of a room."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from collab.errors import MalformedMessage
from generation.events import (
    ContextReady,
    FileEnded,
    FileStarted,
    GenerationEvent,
    JobChanged,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobTokens,
    StrategyDetermined,
    SuggestionAdded,
    SuggestionAnswered,
)

MOST_BYTES: Final = 64 * 1024 * 1024
"""A suggestion holds up to three texts of a whole file."""

_ADAPTERS: Final[dict[str, TypeAdapter[Any]]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (
        JobStarted,
        JobProgressed,
        ContextReady,
        StrategyDetermined,
        FileStarted,
        FileEnded,
        JobTokens,
        SuggestionAdded,
        SuggestionAnswered,
        JobFinished,
        JobChanged,
    )
}


def encode_event(event: GenerationEvent) -> bytes:
    """An event for the wire: its kind, then its fields."""
    return to_json([type(event).__name__, asdict(event)])


def decode_event(data: bytes) -> GenerationEvent:
    """The reverse of encode_event. Raises MalformedMessage."""
    if len(data) > MOST_BYTES:
        raise MalformedMessage(f"An event of another node has {len(data)} bytes; it may have {MOST_BYTES}.")
    try:
        kind, values = json.loads(data)
        event: GenerationEvent = _ADAPTERS[kind].validate_json(to_json(values), strict=True)
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError) as error:
        raise MalformedMessage(
            f"An event of another node cannot be read: {type(error).__name__}. Let all nodes run the same version."
        ) from None
    return event


def to_json(value: object) -> bytes:
    """Compact JSON; what UTF-8 cannot hold (an unpaired surrogate) becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
