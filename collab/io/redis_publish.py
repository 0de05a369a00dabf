"""What a process publishes: collected while the last batch is under way, and sent together, or dropped."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from collab.io.redis_failures import expected, explain
from collab.io.redis_link import RedisLink

logger = logging.getLogger(__name__)

MAX_WAITING_BYTES: Final = 8 * 1024 * 1024


class Publisher:
    """Publishes in order, over a connection of its own; ``run`` does the work."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._waiting: list[tuple[bytes, bytes, bytes]] = []
        self._bytes = 0
        self._due = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._complained = False
        self._command = b"SPUBLISH" if link.clustered else b"PUBLISH"
        self.dropped = 0
        """How many messages were not published, because too much waited or Redis did not take them."""

    def put(self, channel: bytes, data: bytes) -> None:
        """Publishes soon, or drops it when too much waits."""
        size = len(channel) + len(data)
        if self._bytes + size > MAX_WAITING_BYTES:
            self.dropped += 1
            return
        self._bytes += size
        self._waiting.append((self._command, channel, data))
        self._due.set()
        self._idle.clear()

    def clear(self) -> None:
        """Drops all that waits."""
        self.dropped += len(self._waiting)
        self._waiting = []
        self._bytes = 0
        self._due.set()

    async def flush(self, seconds: float) -> None:
        """Waits until all that waits was published or dropped, but not longer than this."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            self.clear()

    async def run(self) -> None:
        """Publishes until it is cancelled."""
        connection: Any = None
        pool: Any = None if self._link.clustered else self._link.blocking().connection_pool
        try:
            while True:
                if not self._waiting:
                    self._idle.set()
                await self._due.wait()
                self._due.clear()
                batch, self._waiting, self._bytes = self._waiting, [], 0
                if not batch:
                    continue
                try:
                    if pool is None:
                        await self._through_cluster(batch)
                        continue
                    async with asyncio.timeout(self._link.command_timeout):
                        if connection is None:
                            connection = await pool.get_connection()
                        # Not the client's pipeline: what it does for each command takes twice the time.
                        await connection.send_packed_command(connection.pack_commands(batch), check_health=False)
                        for _ in batch:
                            await connection.read_response()
                    self._complained = False
                except Exception as error:
                    if not expected(error):
                        logger.exception("What was published to %s failed.", self._link.place())
                    self._failed(batch, error)
                    if connection is not None:
                        # Answers may still come: the connection cannot be used for anything else.
                        await connection.disconnect(nowait=True)
                        await pool.release(connection)
                        connection = None
        finally:
            if connection is not None:
                await connection.disconnect(nowait=True)
                await pool.release(connection)

    async def _through_cluster(self, batch: list[tuple[bytes, bytes, bytes]]) -> None:
        pipeline = self._link.client.pipeline()
        for command, channel, data in batch:
            pipeline.execute_command(command.decode(), channel, data)
        await pipeline.execute()
        self._complained = False

    def _failed(self, batch: list[tuple[bytes, bytes, bytes]], error: Exception) -> None:
        self.dropped += len(batch)
        if not self._complained:
            self._complained = True
            logger.warning("%s Messages to other nodes are dropped.", explain(error, self._link.place()).message)
