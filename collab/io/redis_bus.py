"""The bus between nodes over Redis pub/sub: a channel for each room, and one for each node.

What the store's scripts publish with what they append comes over the rooms' channels too; ``redis_wire`` tells
what is in a message. In a Cluster pub/sub is sharded (Redis 7 or later): a room's channel is where its keys are.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from collab.errors import StoreCorrupt, StoreUnavailable
from collab.ids import NodeId, RoomId
from collab.io import redis_wire
from collab.io.redis_link import RedisLink
from collab.io.redis_publish import Publisher
from collab.io.redis_pubsub import Subscriptions
from collab.shared import BusListener

logger = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 0.3
"""How long the end of a bus waits for what was published just before: a node's goodbye."""


class RedisBus:
    """Implements ``collab.shared.Bus``: one connection to receive, one to publish."""

    def __init__(self, link: RedisLink, prefix: str, writer: str, chance: random.Random | None = None) -> None:
        """``writer`` is the name under which this process's store writes: what it publishes is not news here."""
        self._prefix = prefix
        self._link = link
        self._writer = writer
        self._node = NodeId("")
        self._inbox = b""
        self._rooms: dict[bytes, RoomId] = {}
        self._listener: BusListener | None = None
        self._subscriptions = Subscriptions(link, self, chance or random.Random())
        self._publisher = Publisher(link)

    @property
    def dropped(self) -> int:
        """How many messages of this process were not published."""
        return self._publisher.dropped

    def running(self, node: NodeId, listener: BusListener) -> AbstractAsyncContextManager[None]:
        """See Bus.running. Once at a time."""
        return self._running(node, listener)

    @asynccontextmanager
    async def _running(self, node: NodeId, listener: BusListener) -> AsyncIterator[None]:
        assert self._listener is None, "the bus runs already"
        self._listener = listener
        self.rename(node)
        tasks = asyncio.create_task(self._run())
        owner = asyncio.current_task()
        assert owner is not None
        told = False

        def ended(_: asyncio.Task[None]) -> None:
            # A node without a bus is no node: what runs meanwhile ends too.
            nonlocal told
            told = owner.cancel()

        tasks.add_done_callback(ended)
        try:
            await self._subscriptions.tried.wait()
            yield
        finally:
            tasks.remove_done_callback(ended)
            self._listener = None
            if not tasks.done():
                await self._publisher.flush(LAST_WORDS_SECONDS)
            tasks.cancel()
            await asyncio.wait([tasks])
            if not tasks.cancelled() and (error := tasks.exception()) is not None:
                if told:
                    owner.uncancel()
                raise error

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._subscriptions.run())
            tasks.create_task(self._publisher.run())

    def rename(self, node: NodeId) -> None:
        """See Bus.rename."""
        if self._inbox:
            self._subscriptions.forget(self._inbox)
        self._node = node
        self._inbox = self._inbox_of(node)
        self._subscriptions.want([self._inbox])

    async def subscribe(self, room: RoomId) -> None:
        """See Bus.subscribe."""
        if self._listener is None:
            raise StoreUnavailable("The bus to the other nodes does not run: this process has not begun, or ends.")
        channel = self._channel_of(room)
        self._rooms[channel] = room
        try:
            await self._subscriptions.subscribe(channel)
        except BaseException:
            if not self._subscriptions.wants(channel):
                self._rooms.pop(channel, None)
            raise

    async def unsubscribe(self, room: RoomId) -> None:
        """See Bus.unsubscribe."""
        channel = self._channel_of(room)
        if self._rooms.pop(channel, None) is not None:
            self._subscriptions.forget(channel)

    def publish(self, room: RoomId, payload: bytes) -> None:
        """See Bus.publish."""
        self._put(self._channel_of(room), payload)

    def send(self, node: NodeId, payload: bytes) -> None:
        """See Bus.send."""
        self._put(self._inbox_of(node), payload)

    def _put(self, channel: bytes, payload: bytes) -> None:
        if self._subscriptions.up:
            self._publisher.put(channel, redis_wire.pack_message(self._node, payload))
        else:
            self._publisher.dropped += 1

    def _channel_of(self, room: RoomId) -> bytes:
        return redis_wire.base(self._prefix, room).encode()

    def _inbox_of(self, node: NodeId) -> bytes:
        return f"{self._prefix}node:{{{node}}}".encode()

    # What the subscriptions call

    def received(self, channel: bytes, data: bytes) -> None:
        """Something was published on a channel."""
        listener = self._listener
        room = self._rooms.get(channel)
        if listener is None or (room is None and channel != self._inbox):
            # What was on its way when the subscription ended.
            return
        try:
            message = redis_wire.unpack_message(data, self._writer)
        except StoreCorrupt as error:
            logger.warning("%s It came on %r and is dropped.", error.message, channel.decode(errors="replace"))
            return
        if message is None:
            return
        if room is None:
            if isinstance(message, redis_wire.Message):
                listener.direct(message.node, message.payload)
        elif isinstance(message, redis_wire.Entries):
            listener.entries(room, message.log, message.entries)
        elif isinstance(message, redis_wire.Message):
            listener.message(room, message.node, message.payload)
        else:
            listener.message(room, redis_wire.DELETED_BY, redis_wire.deleted_payload(message.log))

    def down(self, reason: str) -> None:
        """The connection is lost."""
        self._publisher.clear()
        if self._listener is not None:
            self._listener.down(reason)

    def renewed(self) -> None:
        """The connection is there again, with all subscriptions."""
        if self._listener is not None:
            self._listener.renewed()
