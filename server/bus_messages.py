"""What nodes tell each other over the bus beside log entries, as msgpack arrays: the kind, then its fields.

Only nodes that share the same store can publish there, but they may be of another version: what cannot be read
is a MalformedMessage, and whoever reads goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgpack
from pydantic import TypeAdapter, ValidationError

from collab.errors import MalformedMessage
from collab.ids import ClientId, RoomId
from collab.presence import NodeState


@dataclass(frozen=True, slots=True)
class Hello:
    """A node has loaded the room: it wants to know who is here over the others."""


@dataclass(frozen=True, slots=True)
class Bye:
    """A node has unloaded the room, or stops."""


@dataclass(frozen=True, slots=True)
class People:
    """Presence states of a node's own connections: all of them if ``full``, else those that changed."""

    full: bool
    states: tuple[tuple[int, int, bytes, bool], ...]

    @staticmethod
    def of(states: Sequence[NodeState], *, full: bool) -> People:
        """The message with these states."""
        return People(full, tuple((s.client, s.clock, s.state, s.spoken) for s in states))

    def node_states(self) -> list[NodeState]:
        """The states."""
        return [NodeState(ClientId(c), clock, state, spoken) for c, clock, state, spoken in self.states]


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that everybody in the room is told, encoded by ``generation.event_codec``."""

    event: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """A message that everybody in the room is told, in JSON."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Compacted:
    """The log up to this position was replaced by a checkpoint of so many bytes."""

    position: int
    size: int


@dataclass(frozen=True, slots=True)
class Probe:
    """Asks one node whether its connection that holds this client id is still there."""

    room: RoomId
    client: int


@dataclass(frozen=True, slots=True)
class Holding:
    """Asks one node whether it holds the room: the room's list says so, and nothing is heard of it there."""

    room: RoomId


@dataclass(frozen=True, slots=True)
class Question:
    """To one node, which answers with an Answer of the same number."""

    number: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node was asked. Not ``good``: the payload says in words why there is no answer."""

    number: int
    good: bool
    payload: bytes


BusMessage = Hello | Bye | People | Happened | Said | Compacted | Probe | Holding | Question | Answer

_KINDS: Final[dict[str, type[BusMessage]]] = {
    "hello": Hello,
    "bye": Bye,
    "people": People,
    "happened": Happened,
    "said": Said,
    "compacted": Compacted,
    "probe": Probe,
    "holding": Holding,
    "question": Question,
    "answer": Answer,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}
_READERS: Final[dict[str, TypeAdapter[BusMessage]]] = {
    name: TypeAdapter(kind, config=None) for name, kind in _KINDS.items()
}


def pack(message: BusMessage) -> bytes:
    """The message as bytes."""
    return bytes(msgpack.packb([_NAMES[type(message)], *(getattr(message, name) for name in message.__slots__)]))


def unpack(data: bytes) -> BusMessage:
    """The reverse of pack. Raises MalformedMessage."""
    try:
        name, *values = msgpack.unpackb(data, max_str_len=4096)
        kind = _KINDS[name]
        return _READERS[name].validate_python(dict(zip(kind.__slots__, values, strict=True)))
    except (ValueError, TypeError, KeyError, msgpack.UnpackException, ValidationError) as error:
        raise MalformedMessage(f"A message of another node cannot be read: {type(error).__name__}.") from error
