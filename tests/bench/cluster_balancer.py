"""A TCP balancer, as small as it can be, in a process of its own: the same for one node and for several.

``python -m tests.bench.cluster_balancer --port P --to PORT,PORT [--by-room]``. Connections go to the nodes in
turn, or, by the name of the room in the request's first line, always to the same one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import zlib
from collections.abc import Callable
from typing import cast

Pick = Callable[[bytes], int]


class Back(asyncio.Protocol):
    """The connection to a node."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._front.reached(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        self._front.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.close()


class Front(asyncio.Protocol):
    """A client's connection. What it sends is kept until the node is reached."""

    def __init__(self, pick: Pick) -> None:
        self._pick = pick
        self._waiting = b""
        self._back: asyncio.Transport | None = None
        self._transport: asyncio.Transport | None = None
        self._reaching: asyncio.Task[object] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._back is not None:
            self._back.write(data)
            return
        self._waiting += data
        if self._reaching is None and b"\r\n" in self._waiting:
            loop = asyncio.get_running_loop()
            port = self._pick(self._waiting.split(b"\r\n", 1)[0])
            self._reaching = loop.create_task(self._reach(port))

    async def _reach(self, port: int) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: Back(self), "127.0.0.1", port)
        except OSError:
            self.close()

    def reached(self, back: asyncio.Transport) -> None:
        """The node is there."""
        self._back = back
        back.write(self._waiting)

    def write(self, data: bytes) -> None:
        """The node has sent something."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """The node has gone."""
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._back is not None:
            self._back.close()


def picker(ports: list[int], *, by_room: bool) -> Pick:
    """Which node gets a connection, by its request line."""
    if by_room:
        return lambda line: ports[zlib.crc32(line.split(b" ")[1]) % len(ports)]
    turns = itertools.cycle(ports)
    return lambda line: next(turns)


async def balance(port: int, pick: Pick) -> None:
    """Serves for ever."""
    server = await asyncio.get_running_loop().create_server(lambda: Front(pick), "127.0.0.1", port, backlog=2048)
    async with server:
        await server.serve_forever()


def main() -> None:
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--to", required=True, help="ports of the nodes")
    parser.add_argument("--by-room", action="store_true")
    given = parser.parse_args()
    ports = [int(port) for port in given.to.split(",")]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(balance(given.port, picker(ports, by_room=given.by_room)))


if __name__ == "__main__":
    main()
