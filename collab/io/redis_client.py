"""redis-py's clients with a limit around each command: how many are under way, and how long one takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from redis import exceptions
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.client import Pipeline
from redis.asyncio.cluster import ClusterPipeline

AT_ONCE: Final = 64
"""How many commands (a pipeline is one) a process has under way; the others wait. As many connections at most."""


class Turns:
    """Bounds how many commands are under way, and the time of each, waiting included."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._places = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a place, and raises redis-py's TimeoutError when the time is over before the body is."""
        # One limit around all, rather than redis-py's own on each read and write: those start anew when a
        # connection is made, and each write under one costs a task.
        try:
            async with asyncio.timeout(self._seconds), self._places:
                yield
        except TimeoutError as error:
            raise exceptions.TimeoutError(f"no answer within {self._seconds} s") from error


class TurnsClient(Redis):
    """redis-py's client with a limit around each command."""

    turns: Turns

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One command, in its turn."""
        async with self.turns.turn():
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> TurnsPipeline:
        """Commands to be sent together."""
        pipeline = TurnsPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.turns = self.turns
        return pipeline


class TurnsPipeline(Pipeline):
    """A pipeline that counts as one command."""

    turns: Turns

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """The answers to all commands, in one turn."""
        async with self.turns.turn():
            return await super().execute(raise_on_error)


class TurnsCluster(RedisCluster):
    """redis-py's client for a Cluster with a limit around each command."""

    turns: Turns

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One command, in its turn."""
        async with self.turns.turn():
            return await super().execute_command(*args, **options)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> TurnsClusterPipeline:
        """Commands to be sent together, to each server those of its keys."""
        return TurnsClusterPipeline(self, transaction)  # type: ignore[abstract]


class TurnsClusterPipeline(ClusterPipeline):
    """A pipeline over a Cluster that counts as one command."""

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        """The answers to all commands, in one turn."""
        client = self.cluster_client
        assert isinstance(client, TurnsCluster)
        async with client.turns.turn():
            return await super().execute(raise_on_error, allow_redirections)
