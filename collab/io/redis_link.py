"""The connection of one process to Redis: a client whose every command ends in time, scripts, errors in words."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Final

from redis import exceptions
from redis.asyncio import (
    Connection,
    ConnectionPool,
    Redis,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from collab.io.redis_address import Address, Kind, parse
from collab.io.redis_client import AT_ONCE, Turns, TurnsClient, TurnsCluster
from collab.io.redis_failures import failures

CLIENT_NAME: Final = "pairloom"
BLOCKING_AT_ONCE: Final = 16
"""How many connections the client for blocking reads may open."""


class Script:
    """A Lua script, known to the server by its hash once it has run there."""

    __slots__ = ("sha", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class RedisLink:
    """One process's way to Redis, made once: it survives restarts and fail-overs of the servers.

    Nothing is tried again by itself; whoever asks knows whether it may be. Each command ends within
    ``command_timeout`` seconds, whatever the server does.
    """

    def __init__(self, address: Address, *, connect_timeout: float, command_timeout: float) -> None:
        """Connects with the first command. ``open`` is for those who want to know at once whether that works."""
        self.address = address
        self.connect_timeout = connect_timeout
        self.command_timeout = command_timeout
        self._turns = Turns(command_timeout)
        self._sentinel: Sentinel | None = None
        self._blocking: Any = None
        self.client: Any = self._make(blocking=False)
        """redis-py's client, which answers in bytes. Typed loosely, as its own methods are."""

    @classmethod
    async def open(
        cls, url: str, *, connect_timeout: float = 2.0, command_timeout: float = 3.0, connect: bool = True
    ) -> RedisLink:
        """A link that has reached Redis once; with ``connect`` False one that has not tried yet.

        Raises ValueError for a URL that names nothing, StoreUnavailable when Redis cannot be reached.
        """
        link = cls(parse(url), connect_timeout=connect_timeout, command_timeout=command_timeout)
        if connect:
            try:
                with link.failures():
                    await link.client.ping()
            except BaseException:
                await link.aclose()
                raise
        return link

    @property
    def clustered(self) -> bool:
        """Whether keys lie on several servers: one command then only takes keys of one hash tag."""
        return self.address.kind is Kind.CLUSTER

    def place(self) -> str:
        """Words for messages and logs: where Redis is, without user and password."""
        return str(self.address)

    def failures(self) -> AbstractContextManager[None]:
        """Raises StoreUnavailable or StoreError, in words, for what goes wrong inside."""
        return failures(self.place())

    def blocking(self) -> Any:
        """The client for reads that wait on purpose, and for pub/sub: it has no time limits of its own.

        Whoever uses it limits how long it takes to connect. The link closes it.
        """
        if self._blocking is None:
            self._blocking = self._make(blocking=True)
        return self._blocking

    def prepare(self, source: str) -> Script:
        """A script for ``script``."""
        return Script(source)

    async def script(self, script: Script, keys: Iterable[Any], args: Iterable[Any] = ()) -> Any:
        """Runs a script and returns its answer. Raises StoreUnavailable and StoreError.

        Scripts are loaded where the server has none of that hash: a new one, or one that was restarted.
        """
        names = list(keys)
        values = list(args)
        with self.failures():
            try:
                return await self.client.evalsha(script.sha, len(names), *names, *values)
            except exceptions.NoScriptError:
                pass
            # Not SCRIPT LOAD: in a Cluster that would go elsewhere, and it costs a round trip more.
            return await self.client.eval(script.source, len(names), *names, *values)

    async def leave_old_masters(self) -> bool:
        """Ends all connections to servers that are not the master whom the Sentinels name now, also those with a
        command under way, whose outcome is then unknown; whether there were any. Raises what redis-py raises.

        A server that was master goes on to take writes, which will be lost, until the Sentinels reach it.
        """
        if self.address.kind is not Kind.SENTINEL:
            return False
        left = False
        for client in (self.client, self.blocking()):
            pool = client.connection_pool
            master = await pool.get_master_address()
            # A pool that hears of another master closes its idle connections only. Not by what was the master
            # when it was asked last: Sentinels that disagree for a while may have led some back to the old one.
            for connection in [*pool._in_use_connections, *pool._available_connections]:
                if connection.is_connected and (connection.host, connection.port) != master:
                    left = True
                    # As if the network had done it. A connection that another task is told to disconnect leaves
                    # whoever waits for an answer on it with an AttributeError.
                    connection._writer.transport.abort()
        return left

    async def aclose(self) -> None:
        """Closes all connections. Never raises; what is under way fails."""
        clients = [self.client, self._blocking, self._sentinel]
        for client in clients:
            if client is not None:
                try:
                    async with asyncio.timeout(self.connect_timeout):
                        await client.aclose()
                except (exceptions.RedisError, OSError):
                    # A connection that cannot be closed in time is gone all the same.
                    continue

    def _make(self, *, blocking: bool) -> Any:
        kind = self.address.kind
        if kind is Kind.CLUSTER:
            cluster = self._cluster()
            cluster.turns = Turns(None) if blocking else self._turns
            return cluster
        pool = self._sentinel_pool(blocking) if kind is Kind.SENTINEL else self._pool(blocking)
        if blocking:
            return Redis.from_pool(pool)
        client = TurnsClient.from_pool(pool)
        assert isinstance(client, TurnsClient)
        client.turns = self._turns
        return client

    def _pool(self, blocking: bool) -> ConnectionPool:
        address = self.address
        options = self._options(blocking)
        if address.kind is Kind.SOCKET:
            return ConnectionPool(connection_class=UnixDomainSocketConnection, path=address.path, **options)
        (host, port) = address.hosts[0]
        return ConnectionPool(
            connection_class=SSLConnection if address.tls else Connection,
            host=host,
            port=port,
            **options,
        )

    def _sentinel_pool(self, blocking: bool) -> ConnectionPool:
        address = self.address
        if self._sentinel is None:
            # All Sentinels are asked in turn within the time of one command.
            share = self.command_timeout / (len(address.hosts) + 1)
            self._sentinel = Sentinel(  # type: ignore[no-untyped-call]
                address.hosts,
                sentinel_kwargs={
                    "username": address.sentinel_username,
                    "password": address.sentinel_password,
                    "socket_timeout": share,
                    "socket_connect_timeout": share,
                    "retry": Retry(NoBackoff(), 0),
                    "protocol": 2,
                    "driver_info": None,
                    "ssl": address.tls,
                    **address.tls_options,
                },
            )
        options = self._options(blocking)
        pool: ConnectionPool = self._sentinel.master_for(
            address.service, ssl=address.tls, **options
        ).connection_pool
        return pool

    def _cluster(self) -> TurnsCluster:
        address = self.address
        options = self._options(blocking=False)
        del options["db"]
        return TurnsCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in address.hosts],
            ssl=address.tls,
            # A shard that is away must not take the others with it.
            require_full_coverage=False,
            **options,
        )

    def _options(self, blocking: bool) -> dict[str, Any]:
        return {
            "db": self.address.db,
            "username": self.address.username,
            "password": self.address.password,
            "client_name": CLIENT_NAME,
            "driver_info": None,
            "socket_timeout": None,
            "socket_connect_timeout": self.connect_timeout,
            "health_check_interval": 0,
            "retry": Retry(NoBackoff(), 0),
            "max_connections": BLOCKING_AT_ONCE if blocking else AT_ONCE,
            # RESP2: every server that is supported speaks it alike, and a connection is ready one answer sooner.
            "protocol": 2,
            **self.address.tls_options,
        }
