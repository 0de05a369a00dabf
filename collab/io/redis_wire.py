"""What is written to Redis and published there: packed entries, and the messages of a room's channel.

An entry is packed once: the same bytes are an item of the stream, and go to the other nodes. All is msgpack. A
message on a room's channel is one of

    [b"e", log, first, writer, [entry, ...]]   entries at the positions first, first + 1, ...
    [b"m", node, payload]                      what ``Bus.publish`` was given
    [b"d", log, writer]                        the room with this log was deleted by this process

The first and the last are published by the store's scripts, the second by the bus. Strings may come back as
either kind of msgpack's (Lua knows one only), so everything is read as bytes.

A bus hands a deletion on as ``BusListener.message`` from the node ``DELETED_BY``, whose payload is
``deleted_payload(log)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zlib import crc32

import msgpack

from collab.errors import StoreCorrupt
from collab.ids import NodeId, RoomId
from collab.origin import Origin, from_record, is_plain, to_record
from collab.ports import LogEntry
from collab.shared import SharedEntry, Stamp

DELETED_BY: Final = NodeId("")
"""The node in whose name a bus tells of a deletion; no node has this name."""
_COMES_AGAIN: Final = 1024
"""Origins of more bytes carry tables of their own, and are not worth keeping unpacked."""
_DELETED: Final = b"deleted"
_ENTRIES: Final = b"e"
_MESSAGE: Final = b"m"
_ROOM_DELETED: Final = b"d"


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries that were stored."""

    log: str
    entries: tuple[SharedEntry, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What a node has published."""

    node: NodeId
    payload: bytes


@dataclass(frozen=True, slots=True)
class Deleted:
    """The room was deleted; ``log`` is the identity of the log that it had."""

    log: str


def base(prefix: str, room: RoomId) -> str:
    """How the names of a room's keys begin; also the channel on which all of the room is published.

    The part in braces is the room's hash tag: all its keys lie in one slot of a Cluster.
    """
    return f"{prefix}{{{room}}}"


def deleted_payload(log: str) -> bytes:
    """The payload with which a bus tells that the room with this log was deleted."""
    return _DELETED + log.encode()


def deleted_log(payload: bytes) -> str:
    """The reverse of deleted_payload."""
    return payload.removeprefix(_DELETED).decode()


def pack(value: object) -> bytes:
    """Packs plain values so that scripts can read them: Redis' own msgpack does not know binary strings."""
    packed: bytes = msgpack.packb(value, use_bin_type=False)
    return packed


def pack_entry(writer: str, entry: LogEntry) -> bytes:
    """An entry with its stamp. Its position is not part of it: the store decides that later."""
    update = entry.update
    origin = entry.origin
    packed = _packed_origin(origin) if is_plain(origin) else msgpack.packb(to_record(origin))
    return pack((writer, entry.seq, entry.at_ms, crc32(update), packed, update))


def unpack_entry(position: int, packed: bytes) -> SharedEntry:
    """The reverse of pack_entry. Raises StoreCorrupt."""
    try:
        writer, number, at_ms, crc, origin, update = msgpack.unpackb(packed, raw=True)
        known = _unpacked_origin if len(origin) <= _COMES_AGAIN else _unpacked_origin.__wrapped__
        entry = LogEntry(position, at_ms, known(origin), update)
        if crc32(update) != crc:
            raise ValueError("the checksum is wrong")
        return SharedEntry(entry, Stamp(writer.decode(), number))
    except (ValueError, TypeError, AttributeError, msgpack.UnpackException) as error:
        raise StoreCorrupt(
            f"Entry {position} of a room's log cannot be read: {error}. Restore a backup of Redis, or delete "
            "the room."
        ) from error


def unpack_entries(first: int, packed: Sequence[bytes]) -> tuple[SharedEntry, ...]:
    """Entries that follow each other. Raises StoreCorrupt."""
    return tuple(unpack_entry(position, one) for position, one in enumerate(packed, first))


def pack_message(node: NodeId, payload: bytes) -> bytes:
    """A message for a room's channel."""
    return pack((_MESSAGE, node, payload))


def unpack_message(data: bytes, writer: str) -> Entries | Message | Deleted | None:
    """Reads what came on a room's channel; None for what this writer has published itself.

    Raises StoreCorrupt.
    """
    try:
        kind, *rest = msgpack.unpackb(data, raw=True)
        if kind == _MESSAGE:
            node, payload = rest
            name = NodeId(node.decode())
            return None if writer_of(name) == writer else Message(name, payload)
        if kind == _ENTRIES:
            log, first, by, packed = rest
            return None if by.decode() == writer else Entries(log.decode(), unpack_entries(first, packed))
        if kind == _ROOM_DELETED:
            log, by = rest
            return None if by.decode() == writer else Deleted(log.decode())
    except (ValueError, TypeError, AttributeError, msgpack.UnpackException) as error:
        raise StoreCorrupt(
            f"A message from Redis cannot be read: {error}. Look for something else that publishes there."
        ) from error
    raise StoreCorrupt(f"A message from Redis is of the unknown kind {kind!r}. Run the same version on all nodes.")


def writer_of(node: NodeId) -> str:
    """The writer whose node it is: ids of nodes are ``<writer>.<number>``."""
    return node.rpartition(".")[0]


@lru_cache(maxsize=4096)
def _packed_origin(origin: Origin) -> bytes:
    return msgpack.packb(to_record(origin))


@lru_cache(maxsize=4096)
def _unpacked_origin(packed: bytes) -> Origin:
    return from_record(msgpack.unpackb(packed))
