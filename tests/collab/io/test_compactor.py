"""The compactor: small rooms directly, large ones in another process, and the log stays when in doubt."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgpack
import pytest
from pycrdt import Doc, Text

from collab.compaction import build_checkpoint
from collab.errors import CompactionRefused
from collab.ids import PersonId, RoomId
from collab.io.compaction_worker import Inbox, pack_answer, pack_stored, serve
from collab.io.compactor import Compactor
from collab.memory import MemoryStore
from collab.origin import ImportOrigin, RestoreOrigin
from collab.ports import Checkpoint, LogEntry, StoredRoom

ROOM = RoomId("room")


def typing(count: int, word: str = "word ") -> list[LogEntry]:
    doc: Doc[Any] = Doc(client_id=1)
    text = doc.get("text", type=Text)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    for _ in range(count):
        text += word
    doc.unobserve(subscription)
    return [LogEntry(seq, seq, RestoreOrigin(), update) for seq, update in enumerate(updates, 1)]


async def put(store: MemoryStore, entries: list[LogEntry]) -> StoredRoom:
    await store.append([(ROOM, entry) for entry in entries])
    return await store.load(ROOM)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def compactor(store: MemoryStore) -> AsyncIterator[Compactor]:
    """One that uses the worker for every room of more than ten entries."""
    compactor = Compactor(store, direct_entries=10)
    yield compactor
    await compactor.close()


async def test_a_small_room_is_compacted_without_a_process(store: MemoryStore, compactor: Compactor) -> None:
    before = await put(store, typing(10))
    assert await compactor.compact(ROOM) == build_checkpoint(before)
    assert await store.load(ROOM) == StoredRoom(build_checkpoint(before), ())
    assert compactor.worker_pid is None


async def test_a_room_without_a_log_is_left_alone(store: MemoryStore, compactor: Compactor) -> None:
    assert await compactor.compact(ROOM) is None
    await put(store, typing(3))
    await compactor.compact(ROOM)
    assert await compactor.compact(ROOM) is None


async def test_a_large_room_is_compacted_in_a_process_that_is_used_again(
    store: MemoryStore, compactor: Compactor
) -> None:
    entries = typing(300, "x" * 4000)
    first = await put(store, [*entries[:200], *[LogEntry(201, 0, RestoreOrigin(), entries[250].update)]])
    assert len(first.entries[200].update) > 4000
    made = await compactor.compact(ROOM)
    assert made == build_checkpoint(first)
    assert made is not None
    assert made.pending == (entries[250].update,)
    worker = compactor.worker_pid
    assert worker not in {None, os.getpid()}
    rest = [LogEntry(seq, 0, RestoreOrigin(), entries[seq - 2].update) for seq in range(202, 302)]
    second = await put(store, rest)
    made = await compactor.compact(ROOM)
    assert made == build_checkpoint(second)
    assert made is not None
    assert made.pending == ()
    assert compactor.worker_pid == worker


async def test_the_worker_comes_last_where_processors_are_few(store: MemoryStore, compactor: Compactor) -> None:
    await put(store, typing(20))
    await compactor.compact(ROOM)
    worker = compactor.worker_pid
    assert worker is not None
    assert os.getpriority(os.PRIO_PROCESS, worker) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


async def test_what_is_stored_meanwhile_stays_in_the_log(store: MemoryStore, compactor: Compactor) -> None:
    entries = typing(21)
    await put(store, entries[:20])
    compacting = asyncio.create_task(compactor.compact(ROOM))
    while compactor.worker_pid is None:  # noqa: ASYNC110  (no event tells that a process has started)
        await asyncio.sleep(0.001)
    await put(store, entries[20:])
    await compacting
    loaded = await store.load(ROOM)
    assert loaded.checkpoint is not None
    assert (loaded.checkpoint.seq, loaded.entries) == (20, tuple(entries[20:]))


async def test_a_log_that_cannot_be_proved_stays_and_the_worker_goes_on(
    store: MemoryStore, compactor: Compactor
) -> None:
    entries = typing(20)
    await put(store, [*entries[:19], LogEntry(20, 0, RestoreOrigin(), b"\x01garbage")])
    with pytest.raises(CompactionRefused, match=r"cannot be decoded.*The log stays"):
        await compactor.compact(ROOM)
    assert (await store.load(ROOM)).checkpoint is None
    worker = compactor.worker_pid
    await store.delete(ROOM)
    await put(store, entries)
    assert await compactor.compact(ROOM) is not None
    assert compactor.worker_pid == worker


async def test_a_worker_that_was_killed_costs_one_attempt(store: MemoryStore, compactor: Compactor) -> None:
    entries = typing(40)
    await put(store, entries[:20])
    await compactor.compact(ROOM)
    worker = compactor.worker_pid
    assert worker is not None
    os.kill(worker, signal.SIGSTOP)
    await put(store, entries[20:])
    compacting = asyncio.create_task(compactor.compact(ROOM))
    await asyncio.sleep(0)
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(CompactionRefused, match="process that does it has ended"):
        await compacting
    assert len((await store.load(ROOM)).entries) == 20
    assert await compactor.compact(ROOM) is not None
    assert (await store.load(ROOM)).entries == ()


async def test_a_worker_that_hangs_is_given_up(store: MemoryStore) -> None:
    compactor = Compactor(store, direct_entries=10, timeout=0.2)
    await put(store, typing(20))
    compacting = asyncio.create_task(compactor.compact(ROOM))
    while (worker := compactor.worker_pid) is None:  # noqa: ASYNC110  (no event tells that a process has started)
        await asyncio.sleep(0.001)
    os.kill(worker, signal.SIGSTOP)
    with pytest.raises(CompactionRefused, match=r"longer than 0\.2 s"):
        await compacting
    assert compactor.worker_pid is None
    await compactor.close()


async def test_an_idle_worker_ends(store: MemoryStore) -> None:
    compactor = Compactor(store, direct_entries=10, idle_seconds=0.01)
    await put(store, typing(20))
    compacting = asyncio.create_task(compactor.compact(ROOM))
    while compactor.worker_pid is None:  # noqa: ASYNC110  (no event tells that a process has started)
        await asyncio.sleep(0.001)
    worker = compactor._worker
    assert worker is not None
    await compacting
    async with asyncio.timeout(10):
        assert await worker.wait() == 0
    assert not compactor.worker_pid
    await compactor.close()


def test_the_worker_answers_one_request_after_the_other() -> None:
    first = StoredRoom(None, tuple(typing(5)))
    second = StoredRoom(Checkpoint(7, b"\x00\x00", (b"\x01garbage",)), ())
    target = io.BytesIO()
    serve(io.BytesIO(b"".join([*pack_stored(first), *pack_stored(second)])), target)
    assert target.getvalue() == b"".join([*pack_answer(first), *pack_answer(second)])
    *_, done, refused = msgpack.Unpacker(io.BytesIO(target.getvalue()))
    assert done == ["done", 5]
    assert refused[0] == "refused"


def test_a_request_in_pieces_is_put_together_again() -> None:
    stored = StoredRoom(
        Checkpoint(3, bytes(range(256)) * 4096, (b"one", b"two"), b"who wrote what" * 50_000),
        tuple(
            LogEntry(seq, seq * 1000, ImportOrigin(PersonId(f"p{seq % 3}")), b"u" * 100_000)
            for seq in range(4, 10)
        ),
    )
    pieces = list(pack_stored(stored))
    assert max(len(piece) for piece in pieces) < 500_000
    # None takes long to make, of small entries either.
    small = StoredRoom(None, tuple(typing(3_000)))
    assert len(list(pack_stored(small))) > 10
    inbox = Inbox()
    closing = [inbox.take(message) for message in msgpack.Unpacker(io.BytesIO(b"".join(pieces)))]
    assert closing[-1] == ("build", 3)
    assert set(closing[:-1]) == {None}
    assert StoredRoom(inbox.checkpoint(3), tuple(inbox.entries)) == stored


def test_a_worker_whose_server_was_killed_ends_without_a_word() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "collab.io.compaction_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stderr is not None
        worker.stdout.close()
        for piece in pack_stored(StoredRoom(None, ())):
            worker.stdin.write(piece)
        worker.stdin.close()
        assert worker.stderr.read() == b""
        assert worker.wait() == 0
