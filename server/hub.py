"""The rooms of this process: loaded once however many ask, evicted when idle, written to one store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from random import Random
from typing import Final

from collab.compaction import CompactionPolicy
from collab.document import Document
from collab.errors import CollabError, CompactionRefused, StoreCorrupt, StoreError, StoreUnavailable, TryLater
from collab.ids import RoomId, client_id
from collab.io.compactor import Compactor
from collab.io.writer import Appender, Writer
from collab.limits import Limits
from collab.ports import Clock, Store, StoredRoom
from collab.room import Room
from server.backlog import shrink
from server.cluster import Cluster
from server.host import RoomHost
from server.owners import KEY, KIND, read_owners, write_owners
from server.records import Records, RecordsFirst
from server.room_rows import RoomRow, list_rooms

TICK_SECONDS: Final = 0.5
IDLE_SECONDS: Final = 1.0
"""How long the smallest room stays when nobody is in it: longer than a page takes to reload."""
IDLE_BYTES_PER_SECOND: Final = 100_000
"""For so many bytes of its document a room stays one second longer; they load in a few milliseconds."""

logger = logging.getLogger(__name__)


class Hub:
    """Opens, keeps and closes rooms. Use it inside ``running``."""

    def __init__(
        self,
        open_store: Callable[[], Awaitable[Store]],
        limits: Limits,
        clock: Clock,
        random: Random,
        commit_interval: float,
        cluster: Cluster | None = None,
    ) -> None:
        """``open_store`` is not called where there is a cluster: its store is taken."""
        self._open_store = open_store
        self._cluster = cluster
        if cluster is not None:
            cluster.bind(self)
        self._limits = limits
        self._clock = clock
        self._random = random
        self._commit_interval = commit_interval
        self._policy = CompactionPolicy()
        self._hosts: dict[RoomId, RoomHost] = {}
        self._loading: dict[RoomId, asyncio.Future[RoomHost]] = {}
        self._closing: dict[RoomId, asyncio.Event] = {}
        self._failing: StoreError | None = None
        self._connections = 0
        self._forget: Callable[[RoomId], None] = lambda _: None
        self._loaded: Callable[[RoomHost], None] = lambda _: None
        self._tasks: asyncio.TaskGroup | None = None
        self._store: Store | None = None
        self._writer: Writer | None = None
        self._records: Records | None = None
        self._compactor: Compactor | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Opens the store and does the hub's work meanwhile. Raises StoreError if it cannot be opened."""
        cluster = self._cluster
        if cluster is None:
            store = await self._open_store()
            try:
                async with self._working(store, store):
                    yield
            finally:
                await store.close()
        else:
            async with cluster.running(), self._working(cluster.shared, cluster.log):
                yield

    @asynccontextmanager
    async def _working(self, store: Store, log: Appender) -> AsyncIterator[None]:
        self._store = store
        self._compactor = Compactor(store)
        first = RecordsFirst(log)
        writer = Writer(
            first,
            self._clock,
            self._random,
            on_durable=self._on_durable,
            on_not_saved=self._on_not_saved,
            on_saved_again=self._on_saved_again,
            interval=self._commit_interval,
        )
        async with writer:
            self._writer = writer
            self._records = first.records = Records(store, writer, ordered=self._cluster is not None)
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    work = [tasks.create_task(self._records.run()), tasks.create_task(self._sweep())]
                    try:
                        yield
                    finally:
                        self._tasks = None
                        for host in self._hosts.values():
                            host.flush()
                        for task in work:
                            task.cancel()
            finally:
                await self._records.close()
        await self._compactor.close()

    # Rooms

    @asynccontextmanager
    async def held(self, room: RoomId) -> AsyncIterator[RoomHost]:
        """A loaded room that stays loaded meanwhile. Raises StoreError, TryLater."""
        host = await self.acquire(room)
        try:
            yield host
        finally:
            self.release(host)

    async def acquire(self, room: RoomId) -> RoomHost:
        """As ``held``, for a holder that outlives a block of code: it calls ``release`` once."""
        host = await self._get(room)
        host.held += 1
        return host

    def release(self, host: RoomHost) -> None:
        """One holder less."""
        host.held -= 1
        host.idle_since = self._clock.monotonic()

    async def rooms(self) -> list[RoomRow]:
        """All rooms that are stored or open, by name. Raises StoreError."""
        return await list_rooms(self._opened(), self.connection_counts(), self._cluster)

    def connection_counts(self) -> dict[RoomId, int]:
        """The connections of each open room of this process."""
        return {room: host.connections() for room, host in self._hosts.items()}

    async def delete(self, room: RoomId) -> None:
        """Forgets the room; its connections are closed and told not to come back."""
        await self._settled(room)
        # Nobody loads it before the store has forgotten it.
        async with self._closed(room):
            self._expel(room, 4404, "The room was deleted.")
            await self._opened().delete(room)
            if self._cluster is not None:
                await self._cluster.leave(room)

    def on_deleted(self, forget: Callable[[RoomId], None]) -> None:
        """Sets who is told that another node has deleted a room."""
        self._forget = forget

    def on_loaded(self, loaded: Callable[[RoomHost], None]) -> None:
        """Sets who is told of each room that is loaded, before anybody has it."""
        self._loaded = loaded

    # What the cluster asks for

    def room_deleted(self, room: RoomId) -> None:
        """Another node has deleted the room."""
        self._forget(room)
        self._part(room, 4404, "The room was deleted.")

    def reload(self, room: RoomId, reason: str) -> None:
        """What this process has of the room is not to be served any more; who comes next loads it anew."""
        self._part(room, 1012, reason)

    def _part(self, room: RoomId, code: int, reason: str) -> None:
        if room not in self._hosts or self._tasks is None:
            return
        self._expel(room, code, reason)
        closed = self._closing[room] = asyncio.Event()
        self._tasks.create_task(self._leave(room, closed))

    async def _leave(self, room: RoomId, closed: asyncio.Event) -> None:
        assert self._cluster is not None
        try:
            await self._cluster.leave(room)
        finally:
            del self._closing[room]
            closed.set()

    def _expel(self, room: RoomId, code: int, reason: str) -> None:
        host = self._hosts.pop(room, None)
        if host is not None:
            host.close_all(code, reason)
            host.retire()
        if self._records is not None:
            self._records.forget(room)

    async def _settled(self, room: RoomId) -> None:
        """Until the room is neither being loaded nor being unloaded."""
        while room in self._closing or room in self._loading:
            if room in self._closing:
                await self._closing[room].wait()
            else:
                await asyncio.wait([self._loading[room]])

    @asynccontextmanager
    async def _closed(self, room: RoomId) -> AsyncIterator[None]:
        """Nobody gets the room meanwhile."""
        closed = self._closing[room] = asyncio.Event()
        try:
            yield
        finally:
            del self._closing[room]
            closed.set()

    def admit(self) -> None:
        """Counts a connection that wants in. Raises TryLater when the process has enough of them."""
        if self._connections >= self._limits.connections:
            raise TryLater(
                f"The server has {self._connections} connections, as many as it may (setting connections); "
                "try again later."
            )
        self._connections += 1

    def dismiss(self) -> None:
        """Counts a connection that has gone."""
        self._connections -= 1

    @property
    def failing(self) -> StoreError | None:
        """Why nothing can be stored at the moment; None while it can."""
        return self._failing

    # Loading

    async def _get(self, room: RoomId) -> RoomHost:
        while True:
            host = self._hosts.get(room)
            if host is not None:
                return host
            closing = self._closing.get(room)
            if closing is not None:
                await closing.wait()
                continue
            loading = self._loading.get(room)
            if loading is None:
                return await self._load(room)
            # Whoever loads may go away; then the next one does it. A room that is there is looked up again:
            # it may have been evicted before it is this one's turn.
            try:
                await asyncio.shield(loading)
            except asyncio.CancelledError:
                if not loading.cancelled():
                    raise

    async def _load(self, room: RoomId) -> RoomHost:
        loading: asyncio.Future[RoomHost] = asyncio.get_running_loop().create_future()
        self._loading[room] = loading
        try:
            host = await self._build(room)
        except BaseException as error:
            if isinstance(error, CollabError):
                loading.set_exception(error)
                loading.exception()  # Read here, so that nobody else has to wait for it.
            else:
                loading.cancel()
            raise
        else:
            self._hosts[room] = host
            loading.set_result(host)
            return host
        finally:
            del self._loading[room]

    async def _build(self, room: RoomId) -> RoomHost:
        await self._make_room()
        store, cluster = self._opened(), self._cluster
        try:
            stored = await (store.load(room) if cluster is None else cluster.enter(room))
        except StoreUnavailable as error:
            raise TryLater(f"The room cannot be opened at the moment. {error.message} Try again later.") from error
        try:
            host = await self._host(room, stored, store)
        except BaseException:
            if cluster is not None:
                await cluster.leave(room)
            raise
        if cluster is not None:
            cluster.attach(host)
        self._loaded(host)
        return host

    async def _host(self, room: RoomId, stored: StoredRoom, store: Store) -> RoomHost:
        records = self._records
        assert records is not None
        state = Room(room, Document(client_id(self._random)), self._limits, self._clock)
        try:
            state.load(stored)
        except CollabError as error:
            raise StoreCorrupt(
                f"Room {room!r} cannot be read: {error.message} It was left as it is; restore a backup, or "
                "delete the room."
            ) from error
        state.document.watch_files()
        if stored.checkpoint is not None:
            state.owners.update(read_owners(await store.records(room, KIND)))
        host = RoomHost(state, self._limits, self._clock, records, asyncio.get_running_loop())
        host.log.loaded(stored)
        logger.debug("a room was loaded", extra={"room": room, "entries": len(stored.entries)})
        host.failing = self._failing
        return host

    async def _make_room(self) -> None:
        if not self._full():
            return
        idle = [host for host in self._hosts.values() if not host.held]
        if idle:
            await self._evict(min(idle, key=lambda host: host.idle_since))
        if self._full():
            raise TryLater(
                f"{len(self._hosts)} rooms are open, as many as may be (setting open_rooms); try again later."
            )

    def _full(self) -> bool:
        return len(self._hosts) + len(self._loading) > self._limits.open_rooms

    # Keeping

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._clock.monotonic()
            for host in list(self._hosts.values()):
                if self._hosts.get(host.room) is not host:
                    continue  # It was deleted or evicted while another one was being worked on.
                host.tick()
                if self._failing is not None and self._writer is not None:
                    shrink(self._writer, host, self._limits.backlog_bytes)
                if not host.held and now - host.idle_since >= self._patience(host):
                    await self._evict(host)
                elif host.log.due(self._policy) and self._failing is None:
                    await self._compact(host)

    def _patience(self, host: RoomHost) -> float:
        """Seconds for which an idle room stays: the longer the more it would cost to load it again."""
        return min(self._limits.idle_room_seconds, IDLE_SECONDS + host.state.size / IDLE_BYTES_PER_SECOND)

    async def _evict(self, host: RoomHost) -> None:
        """Unloads a room; nobody gets it before all that it had is stored."""
        if self._failing is not None or self._hosts.get(host.room) is not host:
            return
        if self._cluster is not None and not self._cluster.up:
            return  # It could not be loaded again.
        try:
            await host.durable()
        except StoreError as error:
            logger.warning("a room stays open because it cannot be saved: %s", error.message)
            return
        if host.held or self._hosts.get(host.room) is not host:
            return
        del self._hosts[host.room]
        async with self._closed(host.room):
            try:
                if host.log.due(self._policy, unloading=True):
                    await self._compact(host)
            finally:
                host.retire()
                if self._cluster is not None:
                    await self._cluster.leave(host.room)

    async def _compact(self, host: RoomHost) -> None:
        compactor, cluster, room = self._compactor, self._cluster, host.room
        assert compactor is not None
        try:
            async with cluster.shared.compacting(room) if cluster is not None else nullcontext(True) as mine:
                if not mine:
                    host.log.refused()  # Another node does it, and says so when it is done.
                    return
                await self._opened().put_record(room, KIND, KEY, write_owners(host.state.owners))
                checkpoint = await compactor.compact(room)
        except CompactionRefused as error:
            logger.error("a log was not compacted: %s", error.message)
            host.log.refused()
        except StoreError as error:
            logger.warning("a log was not compacted: %s", error.message)
            host.log.refused()
        else:
            if checkpoint is None:
                return
            size = len(checkpoint.state)
            if cluster is None:
                host.log.compacted(checkpoint)
            else:
                host.log.replaced(checkpoint.seq, cluster.position(room), size)
                cluster.compacted(room, checkpoint.seq, size)

    def _opened(self) -> Store:
        if self._store is None:
            raise TryLater("The server is starting; try again in a moment.")
        return self._store

    def _on_durable(self, room: RoomId, seq: int) -> None:
        host = self._hosts.get(room)
        if host is not None:
            host.stored(seq)

    def _on_not_saved(self, error: StoreError) -> None:
        self._failing = error
        for host in self._hosts.values():
            host.store_failed(error)

    def _on_saved_again(self) -> None:
        self._failing = None
        for host in self._hosts.values():
            host.store_recovered()
