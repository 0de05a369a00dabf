"""Where the structs of an update are, and what each of them needs.

Source: Yjs' ``UpdateDecoderV1`` and ``Item.getMissing``.
"""

from __future__ import annotations

from typing import NamedTuple

from collab.errors import MalformedMessage
from collab.ids import ClientId
from collab.merge.structs import (
    CONTENT,
    DELETED,
    GC,
    HAS_ORIGIN,
    HAS_RIGHT,
    HAS_SUB,
    SKIP,
    STRING,
    ItemId,
    other_content,
    read_id,
)
from collab.wire import read_bytes, read_uint


class Span(NamedTuple):
    """One struct of an update: its clocks from ``clock`` to before ``end``, and the byte behind it, ``stop``.

    ``needs`` are the items that must be there before it can be placed. A ``gap`` holds nothing.
    """

    clock: int
    end: int
    stop: int
    needs: tuple[ItemId, ...]
    gap: bool


def read_spans(update: bytes) -> tuple[list[tuple[ClientId, int, list[Span]]], int]:
    """Where the structs of an update are: per client, in their order, where its first one begins, and all of them.

    And where the delete set begins. Raises MalformedMessage.
    """
    sections: list[tuple[ClientId, int, list[Span]]] = []
    try:
        clients, at = read_uint(update, 0)
        for _ in range(clients):
            count, at = read_uint(update, at)
            client, at = read_uint(update, at)
            clock, at = read_uint(update, at)
            start = at
            spans: list[Span] = []
            for _ in range(count):
                gap = update[at] & CONTENT == SKIP
                length, at, needs = _read_span(update, at)
                spans.append(Span(clock, clock + length, at, needs, gap))
                clock += length
            sections.append((ClientId(client), start, spans))
    except (IndexError, UnicodeDecodeError):
        raise MalformedMessage("The update ends within a struct, or holds a text that is not UTF-8.") from None
    if at > len(update):
        raise MalformedMessage("The update ends within a struct.")
    return sections, at


def _read_span(data: bytes, at: int) -> tuple[int, int, tuple[ItemId, ...]]:
    """The length in clocks of the struct at ``at``, where it ends, and what it needs."""
    info = data[at]
    kind = info & CONTENT
    at += 1
    if kind in {GC, SKIP}:
        length, at = read_uint(data, at)
        return length, at, ()
    needs: list[ItemId] = []
    if info & HAS_ORIGIN:
        origin, at = read_id(data, at)
        needs.append(origin)
    if info & HAS_RIGHT:
        right, at = read_id(data, at)
        needs.append(right)
    if not needs:
        named, at = read_uint(data, at)
        if named:
            _, at = read_bytes(data, at)
        else:
            parent, at = read_id(data, at)
            needs.append(parent)
        if info & HAS_SUB:
            _, at = read_bytes(data, at)
    if kind == STRING:
        text, at = read_bytes(data, at)
        length = len(text) if text.isascii() else len(text.decode().encode("utf-16-le")) // 2
    elif kind == DELETED:
        length, at = read_uint(data, at)
    else:
        length, at = other_content(kind, data, at)
    return length, at, tuple(needs)
