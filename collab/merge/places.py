"""Anchors of a range of a text, which hold while others edit."""

from __future__ import annotations

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.wire import decode_anchor, write_uint

_BEFORE, _AFTER = b"\x41", b"\x00"


def anchor_behind(client: ClientId, clock: int) -> bytes:
    """The anchor that stays behind the UTF-16 unit with this id."""
    return b"\0" + write_uint(client) + write_uint(clock) + _BEFORE


def anchor_before(document: Document, file: FileId, index: int) -> bytes | None:
    """Stays before the character at code point ``index``; None, which means the end, if there is none.

    Raises NotFound.
    """
    if index >= len(document.text(file)):
        return None
    item = decode_anchor(document.anchor(file, index + 1))
    return b"\0" + write_uint(item.client) + write_uint(item.clock) + _AFTER


def range_anchors(document: Document, file: FileId, start: int, end: int) -> tuple[bytes, bytes | None]:
    """The code points from ``start`` to ``end`` as anchors of both; None is the file's end. Raises NotFound."""
    anchor = document.anchor(file, start)
    if start < end and document.text(file)[end - 1] == "\n":
        return anchor, document.anchor(file, end)
    # What is typed at the end belongs to the range, so the end holds on to the next character.
    return anchor, anchor_before(document, file, end)
