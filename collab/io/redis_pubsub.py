"""Subscriptions that outlive their connections: one to a Redis server, one to each shard of a Cluster.

A session lasts from connecting to the first thing that goes wrong with any of its connections. Then all of them
are closed, and after a pause the next session connects and subscribes to everything anew.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from collab.errors import StoreUnavailable
from collab.io.redis_address import Kind
from collab.io.redis_failures import expected, explain
from collab.io.redis_link import RedisLink

logger = logging.getLogger(__name__)

PING_SECONDS: Final = 2.0
PINGS_WITHOUT_ANSWER: Final = 3
"""After so many pings nothing came back: the connection is dead, though nobody has closed it."""
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 2.0
AT_ONCE: Final = 1000
"""How many channels one command subscribes to."""


class Subscriber(Protocol):
    """What subscriptions call, in the event loop."""

    def received(self, channel: bytes, data: bytes) -> None:
        """Something was published on a channel. What this raises is logged."""
        ...

    def down(self, reason: str) -> None:
        """The connection is lost, or the first one failed."""
        ...

    def renewed(self) -> None:
        """There is a connection again, and all subscriptions are confirmed."""
        ...


@dataclass(slots=True)
class _Line:
    """One connection to one server, for the time of a session."""

    connection: Any
    release: Callable[[], Any]
    told: set[bytes] = field(default_factory=set)
    """The channels that the server was told to subscribe this connection to."""
    unanswered: int = 0
    """Pings sent since anything came."""


class _Silent(Exception):
    """Raised when a connection is open and nothing comes over it."""


class _Moved(Exception):
    """Raised when channels are on another server now: a slot moved to another shard, or there is a new master."""


class Subscriptions:
    """Keeps this process subscribed to the channels that are wanted, for as long as ``run`` runs."""

    def __init__(self, link: RedisLink, subscriber: Subscriber, chance: random.Random) -> None:
        self._link = link
        self._subscriber = subscriber
        self._chance = chance
        sharded = b"s" if link.clustered else b""
        self._message = sharded + b"message"
        self._subscribe = sharded + b"subscribe"
        self._unsubscribe = sharded + b"unsubscribe"
        self._wanted: set[bytes] = set()
        self._touched: set[bytes] = set()
        """Channels of which the server is still to be told something."""
        self._changed = asyncio.Event()
        self._lines: dict[str, _Line] = {}
        self._pending: Counter[bytes] = Counter()
        """How often the server was told to subscribe to a channel and has not confirmed it."""
        self._ending: Counter[bytes] = Counter()
        """How often the server was told to end a subscription and has not confirmed it."""
        self._held: set[bytes] = set()
        """Channels somebody counts on; others are forgotten when subscribing to them fails."""
        self._waiting: dict[bytes, list[asyncio.Future[None]]] = {}
        self._settled: asyncio.Future[None] | None = None
        self._reason: str | None = None
        """Why the last attempt to connect failed; None while there is a connection or the first attempt lasts."""
        self._told_down = False
        self.up = False
        """Whether there is a connection now on which all subscriptions were confirmed."""
        self.tried = asyncio.Event()
        """Set when the first attempt to connect has ended, in either way."""

    def want(self, channels: Iterable[bytes]) -> None:
        """Subscribes soon, without waiting."""
        for channel in channels:
            self._held.add(channel)
            self._wanted.add(channel)
            self._touch(channel)

    def forget(self, channel: bytes) -> None:
        """Ends a subscription soon."""
        self._held.discard(channel)
        self._wanted.discard(channel)
        self._touch(channel)
        # Whoever waits for its beginning would wait in vain.
        _resolve(self._waiting.get(channel, ()))

    def wants(self, channel: bytes) -> bool:
        """Whether it is subscribed to, or will be."""
        return channel in self._wanted

    async def subscribe(self, channel: bytes) -> None:
        """Returns when the server has confirmed it. Raises StoreUnavailable, and the subscription is ended."""
        self._wanted.add(channel)
        future = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(channel, [])
        waiting.append(future)
        try:
            if self._reason is not None:
                raise StoreUnavailable(self._reason)
            if not self._confirmed(channel):
                self._touch(channel)
                async with asyncio.timeout(self._link.command_timeout):
                    await future
            if channel in self._wanted:
                self._held.add(channel)
        except BaseException as error:
            if waiting == [future] and channel not in self._held:
                self.forget(channel)
            if isinstance(error, TimeoutError):
                raise StoreUnavailable(explain(error, self._link.place()).message) from error
            raise
        finally:
            waiting.remove(future)
            if not waiting and self._waiting.get(channel) is waiting:
                del self._waiting[channel]

    async def run(self) -> None:
        """Connects, stays connected, and connects again, until it is cancelled."""
        failed = 0
        while True:
            reason = ""
            try:
                await self._session()
            except* _Silent:
                reason = explain(TimeoutError(), self._link.place()).message
            except* _Moved:
                reason = f"Another server has taken over from the last one of {self._link.place()}."
            except* Exception as group:
                if not expected(_first(group)):
                    logger.exception("The connection to %s is made anew.", self._link.place())
                reason = reason or explain(_first(group), self._link.place()).message
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # A task group that fails while it is cancelled raises the failure only.
                raise asyncio.CancelledError
            failed = 0 if self.up else failed + 1
            self._lost(reason)
            # Full jitter: all nodes lose the same server at the same time.
            longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failed, 10))
            await asyncio.sleep(self._chance.uniform(0, longest))

    # A session

    async def _session(self) -> None:
        """One session; never returns, raises what ended it."""
        self._pending.clear()
        self._ending.clear()
        self._touched.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._settled = asyncio.get_running_loop().create_future()
                async with asyncio.timeout(self._link.command_timeout):
                    await self._connect_all(tasks)
                    await self._settled
                self._found()
                tasks.create_task(self._ping())
                if self._link.address.kind is Kind.SENTINEL:
                    tasks.create_task(self._follow())
                while True:
                    await self._changed.wait()
                    self._changed.clear()
                    touched, self._touched = self._touched, set()
                    await self._tell(tasks, touched)
        finally:
            self._settled = None
            for line in self._lines.values():
                await _close(line)
            self._lines.clear()

    async def _connect_all(self, tasks: asyncio.TaskGroup) -> None:
        if self._link.clustered:
            client = self._link.client
            await client.initialize()
            if self._reason is not None or self._told_down:
                # The last session may have ended because another server has the slots now.
                await client.nodes_manager.initialize()
        self._changed.clear()
        await self._tell(tasks, set(self._wanted))

    async def _tell(self, tasks: asyncio.TaskGroup, channels: set[bytes]) -> None:
        """Makes what the servers know of these channels what is wanted now."""
        commands: dict[str, tuple[list[bytes], list[bytes]]] = {}
        for channel in channels:
            name = await self._line(tasks, channel)
            told = self._lines[name].told
            begin, end = commands.setdefault(name, ([], []))
            if channel in self._wanted and channel not in told:
                begin.append(channel)
                told.add(channel)
                self._pending[channel] += 1
            elif channel not in self._wanted and channel in told:
                end.append(channel)
                told.discard(channel)
                self._ending[channel] += 1
        for name, (begin, end) in commands.items():
            line = self._lines[name]
            await self._command(line, self._subscribe, begin)
            await self._command(line, self._unsubscribe, end)
        self._settle()

    async def _command(self, line: _Line, command: bytes, channels: list[bytes]) -> None:
        # A Cluster takes only channels of one slot in one command.
        size = 1 if self._link.clustered else AT_ONCE
        commands = [(command, *channels[start : start + size]) for start in range(0, len(channels), size)]
        if commands:
            await _send(line, commands)

    async def _line(self, tasks: asyncio.TaskGroup, channel: bytes) -> str:
        """The name of the line on which a channel is subscribed to; it is opened if it is not there."""
        if not self._link.clustered:
            if "" not in self._lines:
                pool = self._link.blocking().connection_pool
                connection = await pool.get_connection()
                self._open(tasks, "", connection, lambda: pool.release(connection))
            return ""
        server = self._link.client.get_node_from_key(channel.decode())
        name: str = server.name
        if name not in self._lines:
            async with asyncio.timeout(self._link.command_timeout):
                connection = server.acquire_connection()
                try:
                    await connection.connect()
                except BaseException:
                    server.release(connection)
                    raise
            self._open(tasks, name, connection, lambda: server.release(connection))
        return name

    def _open(self, tasks: asyncio.TaskGroup, name: str, connection: Any, release: Callable[[], Any]) -> None:
        line = self._lines[name] = _Line(connection, release)
        tasks.create_task(self._read(line))

    async def _read(self, line: _Line) -> None:
        # Not redis-py's PubSub: of what it does for each message, nothing is needed, and it takes twice the time.
        read = line.connection.read_response
        message = self._message
        while True:
            reply = await read(timeout=math.inf, disconnect_on_error=False)
            line.unanswered = 0
            if not isinstance(reply, list):
                continue
            if reply[0] == message:
                try:
                    self._subscriber.received(reply[1], reply[2])
                except Exception:
                    logger.exception("A message from %s could not be taken in and is dropped.", self._link.place())
            elif reply[0] == self._subscribe:
                self._acknowledged(reply[1])
            elif reply[0] == self._unsubscribe:
                if self._ending[reply[1]] <= 0:
                    raise _Moved
                self._ending[reply[1]] -= 1

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            for line in list(self._lines.values()):
                if line.unanswered >= PINGS_WITHOUT_ANSWER:
                    raise _Silent
                line.unanswered += 1
                await _send(line, [(b"PING",)])

    async def _follow(self) -> None:
        """Ends the session when the Sentinels have another master: the old one may be the last to hear of it.

        Also when it was only commands that still went to an old one: what they wrote there may be missing now.
        """
        while True:
            try:
                left = await self._link.leave_old_masters()
            except Exception as error:
                if not expected(error):
                    raise
                # Whether Redis itself is there, the pings tell.
                left = False
            if left:
                raise _Moved
            await asyncio.sleep(PING_SECONDS)

    # What becomes of it

    def _acknowledged(self, channel: bytes) -> None:
        self._pending[channel] -= 1
        if self._pending[channel] > 0:
            return
        del self._pending[channel]
        _resolve(self._waiting.get(channel, ()))
        self._settle()

    def _settle(self) -> None:
        if self._settled is not None and not self._pending and not self._settled.done():
            self._settled.set_result(None)

    def _confirmed(self, channel: bytes) -> bool:
        return channel not in self._pending and any(channel in line.told for line in self._lines.values())

    def _found(self) -> None:
        self.up = True
        self._reason = None
        self.tried.set()
        if self._told_down:
            self._told_down = False
            logger.info("Connected to %s again.", self._link.place())
            self._subscriber.renewed()

    def _lost(self, reason: str) -> None:
        if not self.up:
            self._reason = reason
            for futures in self._waiting.values():
                for future in futures:
                    if not future.done():
                        future.set_exception(StoreUnavailable(reason))
        self.up = False
        self.tried.set()
        if not self._told_down:
            self._told_down = True
            logger.warning("%s Trying again.", reason)
            self._subscriber.down(reason)

    def _touch(self, channel: bytes) -> None:
        self._touched.add(channel)
        self._changed.set()


async def _send(line: _Line, commands: Sequence[tuple[bytes, ...]]) -> None:
    connection = line.connection
    async with asyncio.timeout(PING_SECONDS):
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)


async def _close(line: _Line) -> None:
    await line.connection.disconnect(nowait=True)
    released = line.release()
    if released is not None:
        await released


def _resolve(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
