"""Frames that no client should send: from a seed, random or made of good ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

import msgpack

from collab.ids import ClientId
from collab.wire import (
    AwarenessEntry,
    awareness_message,
    control,
    encode_state_vector,
    permission_denied,
    sync_step1,
    sync_step2,
    sync_update,
    write_bytes,
    write_uint,
)
from tests.collab.replicas import Replica

REQUESTS: list[dict[str, object]] = [
    {"type": "people"},
    {"type": "files", "id": 1},
    {"type": "read", "file": "a.txt"},
    {"type": "create", "path": "b.txt", "text": "hi"},
    {
        "type": "text_operation",
        "file": "a.txt",
        "version": 1,
        "ops": [{"retain": 1}, {"insert": "x"}, {"delete": 1}],
    },
    {"type": "cursor_update", "file": "a.txt", "position": {"line": 0, "character": 1}},
    {"type": "generate", "prompt": "do it"},
    {"type": "cancel", "job": "j1"},
    {"type": "help"},
]
WRONG: list[object] = [None, -1, 2**70, [], {}, "", "x" * 5000, True, 1.5]
COMMANDS = ["/", "help", "read", "edit a.txt", "generate", " "]
DEEP = [b"\x91", b"\x81\xa1a", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"]
"""Beginnings of arrays and maps that never end."""


def good_frames(random: Random) -> list[bytes]:
    """What Yjs clients send."""
    replica = Replica(random.getrandbits(32) or 1)
    replica.create(text="fuzz é👋")
    for _ in range(5):
        replica.insert(0, random.choice(["a", "é", "👋"]))
    replica.delete(1, 3)
    states = [AwarenessEntry(ClientId(replica.client), n, b'{"user":{"name":"F"}}').encode() for n in range(3)]
    return [
        sync_step1(b"\0"),
        sync_step1(replica.state()),
        sync_step1(encode_state_vector({ClientId(2**53 - 1): 2**53 - 1})),
        sync_step2(b"\0\0"),
        sync_step2(replica.missing()),
        *(sync_update(update) for update in replica.sent),
        awareness_message(states[:1]),
        awareness_message(states),
        awareness_message([AwarenessEntry(ClientId(replica.client), 9, b"null").encode()]),
        b"\x03",
        b"\x03\x00",
        permission_denied("no"),
        control('{"type":"people"}'),
    ]


def mutated(random: Random, good: bytes) -> bytes:
    """A good frame with one to four faults."""
    data = bytearray(good)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(data))
        match random.randrange(8):
            case 0:
                del data[at:]
            case 1:
                data[at:at] = random.randbytes(random.randint(1, 8))
            case 2:
                del data[at : at + random.randint(1, 4)]
            case 3:
                data += data[at:]
            case 4 if data:
                data[at % len(data)] ^= 1 << random.randrange(8)
            case 5 if data:
                data[at % len(data)] = random.choice([0, 1, 2, 0x7F, 0x80, 0xFF])
            case 6:
                data[at:at] = write_uint(random.choice([2**7, 2**16, 2**31, 2**32, 2**52, 2**53 - 1]))
            case _:
                data[at:at] = b"\xff" * random.randint(1, 12)
    return bytes(data)


def y_frames(random: Random, count: int) -> Iterator[bytes]:
    """Frames for /yjs."""
    good = good_frames(random)
    for number in range(count):
        match random.randrange(12):
            case 0:
                yield random.randbytes(random.randint(0, 3))
            case 1:
                yield random.randbytes(random.randint(0, 300))
            case 2:
                yield bytes([random.choice([0, 1, 100]), random.randrange(4)]) + random.randbytes(
                    random.randint(0, 60)
                )
            case 3:
                yield sync_update(random.randbytes(random.randint(0, 80)))
            case 4:
                yield b"\x01" + write_bytes(random.randbytes(random.randint(0, 60)))
            case 5 if number % 50 == 0:
                yield sync_update(random.randbytes(200_000))
            case _:
                yield mutated(random, random.choice(good))
        if number % 1000 == 999:
            good = good_frames(random)


def text_frames(random: Random, count: int) -> Iterator[str]:
    """Frames for /collaborate in JSON."""
    for _ in range(count):
        raw = json.dumps(random.choice(REQUESTS))
        match random.randrange(6):
            case 0:
                yield "".join(chr(random.randrange(1, 0xD800)) for _ in range(random.randint(0, 50)))
            case 1:
                yield raw[: random.randint(0, len(raw))]
            case 2:
                yield random.choice(["[", '{"a":', "[" * 3, '"']) * random.randint(1, 20_000)
            case 3:
                at = random.randint(0, len(raw))
                yield raw[:at] + random.choice(['"', "\0", "{", "1e999", "NaN", "\ud800", "null,"]) + raw[at:]
            case 4:
                request = dict(random.choice(REQUESTS))
                request[random.choice([*request])] = random.choice(WRONG)
                yield json.dumps(request)
            case _:
                yield (random.choice(COMMANDS) + raw[: random.randint(0, 9)])


def packed_frames(random: Random, count: int) -> Iterator[bytes]:
    """Frames for /collaborate in msgpack."""
    for _ in range(count):
        raw: bytes = msgpack.packb(random.choice(REQUESTS))
        if random.random() < 0.2:
            yield random.randbytes(random.randint(0, 100))
        elif random.random() < 0.1:
            yield random.choice(DEEP) * random.randint(1, 5000)
        else:
            yield mutated(random, raw)
