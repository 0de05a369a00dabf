"""Updates that are stored but wait for another one, which is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collab.document import EMPTY_UPDATE, Document
from collab.errors import MalformedMessage
from collab.wire import decode_state_vector, read_delete_set

if TYPE_CHECKING:
    from collab.room import Member


@dataclass(frozen=True, slots=True)
class Waiting:
    """An update that waits. ``member`` is the connection that sent it, while it is there."""

    update: bytes
    member: Member | None


def integrated(document: Document, update: bytes) -> bool:
    """Whether all of an update is in the document. Raises MalformedUpdate."""
    rest = document.lacks(update)
    if rest == EMPTY_UPDATE:
        return True
    if rest[0] != 0:
        return False
    state = decode_state_vector(document.state_vector())
    try:
        ranges, _ = read_delete_set(rest, 1)
    except MalformedMessage:
        return True
    return all(item.clock + item.length <= state.get(item.client, 0) for item in ranges)
