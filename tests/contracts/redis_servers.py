"""Redis servers that the tests of a module share: each test finds its server empty."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.redis_process import RedisCluster, RedisProcess


class Servers:
    """One server of each kind, started when a test first asks for it."""

    def __init__(self, program: Path, directory: Path) -> None:
        self._program = program
        self._directory = directory
        self._started: dict[str, RedisProcess] = {}

    async def empty(self, kind: str) -> RedisProcess:
        """The server of a kind, ``redis`` or ``cluster``, without any keys."""
        server = self._started.get(kind)
        if server is None:
            make = RedisCluster if kind == "cluster" else RedisProcess
            server = make(self._program, self._directory / kind)
            await server.start()
            self._started[kind] = server
        await asyncio.to_thread(server.run, "FLUSHALL")
        return server

    async def end(self) -> None:
        """Ends them all."""
        for server in self._started.values():
            await server.kill()


@contextmanager
def servers(program: Path, directory: Path) -> Iterator[Servers]:
    """Servers that end with the block."""
    each = Servers(program, directory)
    try:
        yield each
    finally:
        asyncio.run(each.end())
