"""Writes the rooms' entries to the store in groups: the asyncio driver of ``collab.journal``."""

from __future__ import annotations

import asyncio
import logging
from asyncio import Event, TaskGroup
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, ParamSpec, Protocol, Self

from collab.errors import StoreError, StoreUnavailable
from collab.ids import RoomId
from collab.journal import Chance, Durable, Effect, Journal, NotSaved, SavedAgain, StartCommit, Wake
from collab.limits import MIB
from collab.ports import Clock, LogEntry

logger = logging.getLogger(__name__)

P = ParamSpec("P")


class Appender(Protocol):
    """The part of a store that the writer uses."""

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """See ``collab.ports.Store``."""
        ...


class _Waiter:
    """Somebody who waits until rooms are stored up to the given entries."""

    __slots__ = ("done", "rooms")

    def __init__(self, rooms: dict[RoomId, int]) -> None:
        self.rooms = rooms
        self.done = Event()


class Writer:
    """Owns one task that stores what is handed over. Use it as ``async with Writer(...) as writer``.

    The callbacks are called in the event loop, in order, and must not block: ``on_durable`` with the room and
    the number of its last stored entry, ``on_not_saved`` with the reason when storing begins to fail, and
    ``on_saved_again`` when it works again.
    """

    def __init__(
        self,
        store: Appender,
        clock: Clock,
        random: Chance,
        *,
        on_durable: Callable[[RoomId, int], None],
        on_not_saved: Callable[[StoreError], None],
        on_saved_again: Callable[[], None],
        interval: float = 0.02,
        batch_bytes: int = 4 * MIB,
        close_timeout: float = 10.0,
    ) -> None:
        self._store: Final = store
        self._clock: Final = clock
        self._journal: Final = Journal(random, interval=interval, batch_bytes=batch_bytes)
        self._on_durable: Final = on_durable
        self._on_not_saved: Final = on_not_saved
        self._on_saved_again: Final = on_saved_again
        self._close_timeout: Final = close_timeout
        self._changed: Final = Event()
        self._wake_at: float | None = None
        self._waiters: list[_Waiter] = []
        self._reason: StoreError | None = None
        self._closing = False
        self._ended = False
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = await TaskGroup().__aenter__()
        self._tasks.create_task(self.run(), name="writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.close()
        finally:
            if self._tasks is not None:
                await self._tasks.__aexit__(kind, error, trace)

    @property
    def failing(self) -> StoreError | None:
        """Why nothing can be stored at the moment; None while storing works."""
        return self._reason

    @property
    def backlog_bytes(self) -> int:
        """The bytes of all updates that are not known to be durable."""
        return self._journal.backlog_bytes

    def backlog_of(self, room: RoomId) -> int:
        """The bytes of one room's updates that are not known to be durable."""
        return self._journal.backlog_of(room)

    def write(self, room: RoomId, entry: LogEntry, *, urgent: bool = False) -> None:
        """Hands an entry over. ``on_durable`` tells when it is stored; it is retried until it is. An urgent one
        does not wait for the interval.

        Raises StoreError after ``close``, ValueError for an entry that does not follow the room's last one.
        """
        if self._closing:
            raise StoreError(f"The writer is closed; entry {entry.seq} of room {room!r} is not stored.")
        for effect in self._journal.add(room, entry, urgent=urgent):
            self._perform(effect)

    def waiting(self, room: RoomId) -> list[LogEntry]:
        """A room's entries that no attempt to store them has taken yet, in order."""
        return self._journal.waiting_of(room)

    def replace(self, room: RoomId, entries: Sequence[LogEntry]) -> int:
        """Makes a room's backlog smaller; see Journal.replace. Returns the room's new last number."""
        last = self._journal.replace(room, entries)
        for waiter in self._waiters:
            if room in waiter.rooms:
                waiter.rooms[room] = min(waiter.rooms[room], last)
        return last

    def forget(self, room: RoomId) -> None:
        """Drops what waits of a room that is being deleted; see Journal.forget."""
        self._journal.forget(room)
        self._settle(room, None)

    async def flush(self, room: RoomId | None = None, *, timeout: float = 10.0) -> None:
        """Waits until all that was handed over so far, of one room or of all, is durable.

        Raises StoreUnavailable with the reason when it is not after ``timeout`` seconds. It is still kept and
        retried then.
        """
        unsaved = self._journal.unsaved()
        rooms = unsaved if room is None else {room: unsaved[room]} if room in unsaved else {}
        if not rooms:
            return
        waiter = _Waiter(rooms)
        self._waiters.append(waiter)
        for effect in self._journal.hurry():
            self._perform(effect)
        try:
            async with asyncio.timeout(timeout):
                await waiter.done.wait()
        except TimeoutError:
            reason = self._reason.message if self._reason else "The store has not answered."
            raise StoreUnavailable(
                f"{self._journal.backlog_bytes} bytes of edits are not stored after {timeout:g} s. {reason}"
            ) from self._reason
        finally:
            self._waiters = [other for other in self._waiters if other is not waiter]

    async def close(self) -> None:
        """Stores what waits and ends. Raises StoreUnavailable when ``close_timeout`` was not enough."""
        if self._closing:
            return
        try:
            if not self._ended:
                await self.flush(timeout=self._close_timeout)
        finally:
            self._closing = True
            self._changed.set()

    async def run(self) -> None:
        """The work itself, until ``close``, for a task group of the owner; ``async with`` runs it too."""
        try:
            while not self._closing:
                await self._sleep()
                for effect in self._journal.tick(self._clock.monotonic()):
                    if isinstance(effect, StartCommit):
                        await self._commit(effect)
                    else:
                        self._perform(effect)
        finally:
            self._ended = True

    async def _sleep(self) -> None:
        """Until the time to wake, a change of it, or the end."""
        while not self._closing:
            self._changed.clear()
            if self._wake_at is None:
                await self._changed.wait()
                continue
            delay = self._wake_at - self._clock.monotonic()
            if delay <= 0:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._changed.wait()
        self._wake_at = None

    async def _commit(self, start: StartCommit) -> None:
        try:
            await self._store.append(start.batch)
        except StoreError as error:
            self._failed(error)
        except Exception as error:
            # A store raises nothing else. If it does, it has a bug, and the entries must outlive it.
            logger.exception("the store failed in an unexpected way")
            self._failed(StoreError(f"The store failed in an unexpected way: {error!r}."))
        else:
            for effect in self._journal.committed():
                self._perform(effect)

    def _failed(self, error: StoreError) -> None:
        self._reason = error
        for effect in self._journal.failed(error, self._clock.monotonic()):
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Wake(at=at):
                self._wake_at = at
                self._changed.set()
            case Durable(rooms=rooms):
                for room, seq in rooms.items():
                    self._tell(self._on_durable, room, seq)
                    self._settle(room, seq)
            case NotSaved(reason=reason):
                logger.error("edits are not being saved: %s", reason.message)
                self._tell(self._on_not_saved, reason)
            case SavedAgain():
                logger.warning("edits are being saved again")
                self._reason = None
                self._tell(self._on_saved_again)
            case StartCommit():
                raise RuntimeError("a commit starts in the writer's task only")

    def _settle(self, room: RoomId, seq: int | None) -> None:
        """Tells waiters that a room is stored up to ``seq``, or, with None, that nothing of it is to come."""
        for waiter in self._waiters:
            target = waiter.rooms.get(room)
            if target is not None and (seq is None or target <= seq):
                del waiter.rooms[room]
                if not waiter.rooms:
                    waiter.done.set()

    def _tell(self, callback: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Calls an owner's callback. A bug in one must not keep every other room from being stored."""
        try:
            callback(*args, **kwargs)
        except Exception:
            logger.exception("a callback of the writer failed")
