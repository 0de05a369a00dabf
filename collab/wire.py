"""The y-protocols and lib0 codec, bounded.

pycrdt's own helpers are loose: they accept overlong lengths and count characters instead of bytes. Here
everything that comes in is checked and everything that is wrong raises MalformedMessage.

Source: y-protocols PROTOCOL.md and lib0's encoding.js and decoding.js; the messages of y-websocket 1 to 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from collab.errors import MalformedMessage, MalformedUpdate
from collab.ids import MAX_CLIENT_ID, ClientId

MAX_UINT: Final = 2**53 - 1
"""The largest integer that a JavaScript client can send."""


class MessageType(IntEnum):
    """First number of a frame. CONTROL is ours and goes only to clients that asked for it."""

    SYNC = 0
    AWARENESS = 1
    AUTH = 2
    QUERY_AWARENESS = 3
    CONTROL = 100


class SyncType(IntEnum):
    """Second number of a SYNC frame."""

    STEP1 = 0
    STEP2 = 1
    UPDATE = 2


def write_uint(value: int) -> bytes:
    """lib0 varUint."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    out.append(value)
    return bytes(out)


def write_bytes(data: bytes) -> bytes:
    """lib0 varUint8Array: the length, then the bytes."""
    return write_uint(len(data)) + data


def read_uint(data: bytes, at: int) -> tuple[int, int]:
    """A varUint at ``at``: its value and where it ends. Raises MalformedMessage."""
    value = shift = 0
    end = len(data)
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > MAX_UINT:
                break
            return value, at
        shift += 7
        if shift > 49:
            break
    else:
        raise MalformedMessage("The message ends within a number.")
    # Eight groups hold 56 bits; the last may use only what is left of 53.
    if at < end and data[at] < 0x80:
        value |= data[at] << shift
        if value <= MAX_UINT:
            return value, at + 1
    raise MalformedMessage("A number of the message is larger than 2^53 - 1.")


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """A varUint8Array at ``at``: its bytes and where it ends. Raises MalformedMessage."""
    length, at = read_uint(data, at)
    end = at + length
    if end > len(data):
        raise MalformedMessage(f"The message ends {end - len(data)} bytes too early.")
    return data[at:end], end


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """A varString at ``at``: its text and where it ends. Raises MalformedMessage."""
    raw, end = read_bytes(data, at)
    try:
        return raw.decode(), end
    except UnicodeDecodeError:
        raise MalformedMessage("A string of the message is not UTF-8.") from None


# Messages of the server. One message per frame: clients read one and ignore the rest.


def sync_step1(state: bytes) -> bytes:
    """Asks for what a state vector lacks."""
    return b"\x00\x00" + write_bytes(state)


def sync_step2(update: bytes) -> bytes:
    """Answers a step 1; this is what makes a client call itself synced."""
    return b"\x00\x01" + write_bytes(update)


def sync_update(update: bytes) -> bytes:
    """Something changed."""
    return b"\x00\x02" + write_bytes(update)


def permission_denied(reason: str) -> bytes:
    """y-protocols' auth message: the client warns and goes on reading."""
    return b"\x02\x00" + write_bytes(reason.encode())


def control(text: str) -> bytes:
    """A control message: JSON, for clients that asked for it."""
    return bytes((MessageType.CONTROL,)) + write_bytes(text.encode())


# Awareness


@dataclass(frozen=True, slots=True)
class AwarenessEntry:
    """One client's state as it travels: JSON text; ``null`` says that the client has gone."""

    client: ClientId
    clock: int
    state: bytes

    def encode(self) -> bytes:
        """The entry as part of an awareness update."""
        return write_uint(self.client) + write_uint(self.clock) + write_bytes(self.state)


def awareness_message(entries: list[bytes]) -> bytes:
    """An awareness frame of encoded entries."""
    body = write_uint(len(entries)) + b"".join(entries)
    return b"\x01" + write_bytes(body)


def read_awareness(body: bytes, most: int) -> list[AwarenessEntry]:
    """The entries of an awareness update; at most ``most``. Raises MalformedMessage."""
    count, at = read_uint(body, 0)
    if count > most:
        raise MalformedMessage(f"The awareness update has {count} entries; at most {most} are allowed.")
    entries = []
    for _ in range(count):
        client, at = read_uint(body, at)
        clock, at = read_uint(body, at)
        state, at = read_bytes(body, at)
        entries.append(AwarenessEntry(ClientId(client), clock, state))
    return entries


# State vectors, delete sets, relative positions


def decode_state_vector(data: bytes) -> dict[ClientId, int]:
    """Client id -> next clock. Raises MalformedMessage."""
    count, at = read_uint(data, 0)
    state: dict[ClientId, int] = {}
    for _ in range(count):
        client, at = read_uint(data, at)
        clock, at = read_uint(data, at)
        state[ClientId(client)] = clock
    return state


def encode_state_vector(state: dict[ClientId, int]) -> bytes:
    """The reverse of decode_state_vector."""
    return write_uint(len(state)) + b"".join(write_uint(c) + write_uint(n) for c, n in state.items())


@dataclass(frozen=True, slots=True)
class IdRange:
    """``length`` consecutive clocks of one client, from ``clock``."""

    client: ClientId
    clock: int
    length: int


def delete_set_update(ranges: list[IdRange]) -> bytes:
    """An update that deletes exactly these ids, wherever they stand, and does nothing else.

    It needs no position, so it works whatever happened around them. Source: Yjs' update format v1: no
    structs, then the delete set.
    """
    by_client: dict[ClientId, list[IdRange]] = {}
    for item in ranges:
        by_client.setdefault(item.client, []).append(item)
    out = [b"\x00", write_uint(len(by_client))]
    for client, items in sorted(by_client.items(), reverse=True):
        out.append(write_uint(client) + write_uint(len(items)))
        items.sort(key=lambda item: item.clock)
        out.extend(write_uint(item.clock) + write_uint(item.length) for item in items)
    return b"".join(out)


def read_delete_set(data: bytes, at: int) -> tuple[list[IdRange], int]:
    """The delete set at ``at`` and where it ends. Raises MalformedMessage."""
    ranges = []
    clients, at = read_uint(data, at)
    for _ in range(clients):
        client, at = read_uint(data, at)
        count, at = read_uint(data, at)
        for _ in range(count):
            clock, at = read_uint(data, at)
            length, at = read_uint(data, at)
            ranges.append(IdRange(ClientId(client), clock, length))
    return ranges, at


@dataclass(frozen=True, slots=True)
class AnchorItem:
    """What an anchor holds on to: the item (client, clock); for the start of a text, its type's item."""

    client: ClientId
    clock: int
    start: bool


def decode_anchor(anchor: bytes) -> AnchorItem:
    """Decodes Yjs' binary relative position as ``Document.anchor`` makes it. Raises MalformedUpdate."""
    try:
        tag, at = read_uint(anchor, 0)
        if tag not in {0, 2}:
            raise MalformedUpdate("The anchor names no item; it must be a relative position in a text.")
        client, at = read_uint(anchor, at)
        clock, _ = read_uint(anchor, at)
    except MalformedMessage as error:
        raise MalformedUpdate(f"The anchor cannot be decoded. {error.message}") from None
    if client > MAX_CLIENT_ID:
        raise MalformedUpdate("The anchor's client id is too large.")
    return AnchorItem(ClientId(client), clock, start=tag == 2)


def anchor_json(anchor: bytes) -> dict[str, object]:
    """The anchor in Yjs' JSON form of relative positions, which y-codemirror's cursors use."""
    item = decode_anchor(anchor)
    identity = {"client": item.client, "clock": item.clock}
    return {
        "type": identity if item.start else None,
        "tname": None,
        "item": None if item.start else identity,
        "assoc": -1,
    }


def side_by_side(updates: Sequence[bytes]) -> bytes | None:
    """One update for several that each hold edits of one client, of which each is another, and delete nothing.

    None if some are not so: then it takes a merge.
    """
    clients = set()
    for update in updates:
        head = claims(update)
        # Numbers have no needless bytes, so only a delete set that is empty ends with a zero.
        if head is None or update[-1:] != b"\0" or head[0] in clients:
            return None
        clients.add(head[0])
    return b"".join([write_uint(len(updates)), *(update[1:-1] for update in updates), b"\0"])


def claims(update: bytes) -> tuple[ClientId, int, int] | None:
    """Client id, first clock and struct count of an update that holds edits of exactly one client.

    None for an update with edits of no client or of several, and for what is no update. This is the one
    look into an update that every edit pays for, so it reads only the head.
    """
    try:
        clients, at = read_uint(update, 0)
        if clients != 1:
            return None
        structs, at = read_uint(update, at)
        client, at = read_uint(update, at)
        clock, _ = read_uint(update, at)
    except MalformedMessage:
        return None
    return ClientId(client), clock, structs
