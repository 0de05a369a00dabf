"""Messages as text and bytes.

Over the native dialect a field that has its default value is left out, so that a line is short enough to read
in a terminal. Over the browser's control channel every field is there, so that its types need no defaults.
"""

from __future__ import annotations

from typing import Any

import msgpack
import orjson

from server.messages.events import AnyEvent


def _short(event: AnyEvent) -> dict[str, Any]:
    # ``type`` has a default too, and stands first.
    return {"type": event.type, **event.model_dump(mode="json", exclude_defaults=True, exclude={"type"})}


def encode_json(event: AnyEvent) -> str:
    """One line of JSON without defaults, for the native dialect."""
    return orjson.dumps(_short(event)).decode()


def encode_msgpack(event: AnyEvent) -> bytes:
    """The same object in msgpack."""
    packed: bytes = msgpack.packb(_short(event))
    return packed


def encode_control(event: AnyEvent) -> str:
    """One line of JSON with every field, for the control channel of the y-websocket dialect."""
    return event.model_dump_json()
