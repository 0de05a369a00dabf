"""A process that builds checkpoints: ``python -m collab.io.compaction_worker``, messages on stdin and stdout.

A large log takes seconds to replay, and pycrdt holds Python's lock meanwhile, so a thread would stop the
event loop. Messages are msgpack arrays, one after the other:

    to the worker      ["state", bytes] ...  ["attribution", bytes] ...  ["pending", bytes] ...
                       ["origins", [origin, ...]]  ["entries", [[seq, time, number of its origin, bytes], ...]] ...
                       ["build", seq of the checkpoint or nil]
    from the worker    ["state", bytes] ...  ["attribution", bytes] ...  ["pending", bytes] ...
                       ["done", seq]  or  ["refused", text]

The worker ends when its stdin does, and so with the server, however that ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, Protocol

import msgpack

from collab.compaction import build_checkpoint
from collab.errors import CompactionRefused
from collab.limits import KIB, MIB
from collab.origin import Origin, from_record, to_record
from collab.ports import Checkpoint, LogEntry, StoredRoom

CHUNK_BYTES: Final = 256 * KIB
"""The largest piece of a message, so that neither side is held up by packing one."""
CHUNK_ENTRIES: Final = 100
"""And the most entries of one, since small ones take longer to pack than their bytes say."""
MAX_MESSAGE_BYTES: Final = 1024 * MIB


class Readable(Protocol):
    """What requests are read from; ``read`` must not wait for more than there is."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        ...


class Unbuffered:
    """A pipe. Python's own reader of stdin waits until all the bytes that it was asked for are there."""

    def __init__(self, file: int) -> None:
        self._file: Final = file

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        return os.read(self._file, size)


class Inbox:
    """Collects the messages of one side until one closes the sequence."""

    def __init__(self) -> None:
        self.state: list[bytes] = []
        self.attribution: list[bytes] = []
        self.pending: list[bytes] = []
        self.origins: list[Origin] = []
        self.entries: list[LogEntry] = []

    def take(self, message: list[Any]) -> tuple[str, Any] | None:
        """Takes a message; the last of a sequence comes back as its kind and value."""
        kind, value = message
        match kind:
            case "state":
                self.state.append(value)
            case "attribution":
                self.attribution.append(value)
            case "pending":
                self.pending.append(value)
            case "origins":
                self.origins += [from_record(record) for record in value]
            case "entries":
                origins = self.origins
                self.entries += [LogEntry(seq, at, origins[origin], update) for seq, at, origin, update in value]
            case _:
                return kind, value
        return None

    def checkpoint(self, seq: int) -> Checkpoint:
        """The checkpoint that was sent in pieces."""
        return Checkpoint(seq, b"".join(self.state), tuple(self.pending), b"".join(self.attribution))


def pack_stored(stored: StoredRoom) -> Iterator[bytes]:
    """The request to build a checkpoint of what is stored, in pieces."""
    if stored.checkpoint is not None:
        yield from _pack_checkpoint(stored.checkpoint)
    origins: dict[Origin, int] = {}
    fresh: list[list[object]] = []
    part: list[tuple[int, int, int, bytes]] = []
    size = 0
    for entry in stored.entries:
        number = origins.get(entry.origin)
        if number is None:
            number = origins[entry.origin] = len(origins)
            fresh.append(to_record(entry.origin))
        part.append((entry.seq, entry.at_ms, number, entry.update))
        size += len(entry.update) + 32
        if size > CHUNK_BYTES or len(part) >= CHUNK_ENTRIES:
            yield msgpack.packb(["origins", fresh])
            yield msgpack.packb(["entries", part])
            fresh, part, size = [], [], 0
    yield msgpack.packb(["origins", fresh])
    yield msgpack.packb(["entries", part])
    yield msgpack.packb(["build", stored.checkpoint.seq if stored.checkpoint else None])


def pack_answer(stored: StoredRoom) -> Iterator[bytes]:
    """Builds the checkpoint; the answer, in pieces."""
    try:
        checkpoint = build_checkpoint(stored)
    except CompactionRefused as error:
        yield msgpack.packb(["refused", error.message])
        return
    yield from _pack_checkpoint(checkpoint)
    yield msgpack.packb(["done", checkpoint.seq])


def _pack_checkpoint(checkpoint: Checkpoint) -> Iterator[bytes]:
    for start in range(0, len(checkpoint.state), CHUNK_BYTES):
        yield msgpack.packb(["state", checkpoint.state[start : start + CHUNK_BYTES]])
    for start in range(0, len(checkpoint.attribution), CHUNK_BYTES):
        yield msgpack.packb(["attribution", checkpoint.attribution[start : start + CHUNK_BYTES]])
    for update in checkpoint.pending:
        yield msgpack.packb(["pending", update])


def serve(source: Readable, target: BinaryIO) -> None:
    """Answers requests until ``source`` ends."""
    inbox = Inbox()
    for message in msgpack.Unpacker(source, max_buffer_size=MAX_MESSAGE_BYTES, read_size=CHUNK_BYTES):
        closing = inbox.take(message)
        if closing is None:
            continue
        seq = closing[1]
        before = None if seq is None else inbox.checkpoint(seq)
        stored = StoredRoom(before, tuple(inbox.entries))
        inbox = Inbox()
        target.writelines(pack_answer(stored))
        target.flush()


def main() -> None:
    """Serves the process that has started this one, until that ends."""
    try:
        serve(Unbuffered(sys.stdin.fileno()), sys.stdout.buffer)
    except BrokenPipeError:
        # The server was killed while it waited for this; nobody is there to tell, at the interpreter's end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
