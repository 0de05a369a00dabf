"""Compacts rooms without holding up the event loop."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgpack

from collab.compaction import build_checkpoint
from collab.errors import CompactionRefused
from collab.ids import RoomId
from collab.io.child import Child
from collab.io.compaction_worker import CHUNK_BYTES, MAX_MESSAGE_BYTES, Inbox, pack_stored
from collab.limits import KIB
from collab.ports import Checkpoint, Store, StoredRoom

_WORKER: Final = "collab.io.compaction_worker"
_NICE: Final = 10
"""People's edits come first."""


class Compactor:
    """Builds checkpoints and puts them in place, one at a time.

    A small log is replayed directly, a larger one in a worker process, which is started when needed and ended
    after ``idle_seconds`` without work. Times in seconds, sizes in bytes of stored updates.
    """

    def __init__(
        self,
        store: Store,
        *,
        direct_bytes: int = 256 * KIB,
        direct_entries: int = 250,
        idle_seconds: float = 20.0,
        timeout: float = 120.0,
    ) -> None:
        self._store: Final = store
        self._direct_bytes: Final = direct_bytes
        self._direct_entries: Final = direct_entries
        self._idle_seconds: Final = idle_seconds
        self._timeout: Final = timeout
        self._turn: Final = asyncio.Lock()
        self._worker: Child | None = None
        self._retired: list[Child] = []
        self._retiring: asyncio.TimerHandle | None = None

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker, while there is one."""
        return self._worker.pid if self._worker else None

    async def compact(self, room: RoomId) -> Checkpoint | None:
        """Replaces the room's stored log by a checkpoint; None when there is nothing to replace.

        Edits may go on meanwhile: what is stored later stays in the log. Raises CompactionRefused when the
        checkpoint could not be proved equal (nothing is changed then) and what the store raises.
        """
        async with self._turn:
            stored = await self._store.load(room, aside=True)
            if not stored.entries:
                return None
            checkpoint = await self._build(stored)
            if checkpoint.seq != stored.last_seq:
                raise CompactionRefused(
                    f"The log of room {room!r} was not compacted: the checkpoint is of entry "
                    f"{checkpoint.seq}, not {stored.last_seq}. The log stays."
                )
            await self._store.compact(room, checkpoint)
            return checkpoint

    async def close(self) -> None:
        """Waits for the compaction that is running, then ends the worker."""
        async with self._turn:
            await self._end_worker()

    async def _build(self, stored: StoredRoom) -> Checkpoint:
        size = sum(len(entry.update) for entry in stored.entries)
        if stored.checkpoint is not None:
            size += len(stored.checkpoint.state)
        if size <= self._direct_bytes and len(stored.entries) <= self._direct_entries:
            return build_checkpoint(stored)
        worker = await self._start_worker()
        try:
            async with asyncio.timeout(self._timeout):
                return await _ask(worker, stored)
        except CompactionRefused:
            raise
        except TimeoutError:
            await self._kill_worker()
            raise CompactionRefused(
                f"The log was not compacted: that took longer than {self._timeout:g} s. The log stays."
            ) from None
        except (OSError, EOFError) as error:
            await self._kill_worker()
            raise CompactionRefused(
                "The log was not compacted: the process that does it has ended. The log stays, and the next "
                "attempt starts another process."
            ) from error
        except BaseException:
            # Cancelled in the middle of a message: the next one would be misunderstood.
            await self._kill_worker()
            raise
        finally:
            self._retiring = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire)

    async def _start_worker(self) -> Child:
        if self._retiring is not None:
            self._retiring.cancel()
            self._retiring = None
        self._retired = [child for child in self._retired if not child.ended]
        if self._worker is None or self._worker.ended:
            try:
                self._worker = await Child.start(_WORKER, nice=_NICE)
            except OSError as error:
                raise CompactionRefused(
                    f"The log was not compacted: no process could be started for it ({error}). The log stays."
                ) from error
        return self._worker

    def _retire(self) -> None:
        """Lets the idle worker end by itself."""
        self._retiring = None
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
            self._retired.append(worker)

    async def _end_worker(self) -> None:
        if self._retiring is not None:
            self._retiring.cancel()
        self._retire()
        for child in self._retired:
            await child.wait()
        self._retired.clear()

    async def _kill_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
            await worker.wait()


async def _ask(worker: Child, stored: StoredRoom) -> Checkpoint:
    """Sends what is stored and reads the checkpoint, both in pieces."""
    for piece in pack_stored(stored):
        worker.writer.write(piece)
        await worker.writer.drain()
        await asyncio.sleep(0)  # To drain is no wait while there is place.
    inbox = Inbox()
    unpacker = msgpack.Unpacker(max_buffer_size=MAX_MESSAGE_BYTES)
    while True:
        data = await worker.reader.read(CHUNK_BYTES)
        if not data:
            raise EOFError("the worker has ended")
        unpacker.feed(data)
        message: list[Any]
        for message in unpacker:
            closing = inbox.take(message)
            if closing is None:
                continue
            kind, value = closing
            if kind == "refused":
                raise CompactionRefused(value)
            return inbox.checkpoint(value)
