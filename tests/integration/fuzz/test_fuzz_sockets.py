"""Bad frames over real sockets: each ends at most its own connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collab.ids import RoomId
from tests.integration.fuzz.frames import packed_frames, text_frames, y_frames
from tests.server.running import TIMEOUT, joined, running

pytestmark = pytest.mark.integration


async def thrown(url: str, frames: Iterable[str | bytes], subprotocols: Any = None) -> int:
    """Sends frames, each answered by a pong or the end of its connection; how many connections that took."""
    left = iter(frames)
    connections = 0
    frame = next(left, None)
    while frame is not None:
        connections += 1
        async with connect(url, subprotocols=subprotocols, compression=None, max_size=None) as one:
            reading = asyncio.create_task(read_all(one))
            try:
                async with asyncio.timeout(TIMEOUT):
                    while frame is not None:
                        await one.send(frame)
                        frame = next(left, None)
                        await (await one.ping())
            except ConnectionClosed as error:
                assert error.rcvd is None or error.rcvd.code != 1011  # noqa: PT017 - any other code is fine
            await one.close()
            await reading
    return connections


async def read_all(one: ClientConnection) -> None:
    """Reads until the end, so that nothing piles up."""
    with suppress(ConnectionClosed):
        async for _ in one:
            pass


async def test_bad_frames_on_every_dialect_leave_the_room_working(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    escaped: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
    with caplog.at_level(logging.ERROR):
        async with running(tmp_path, limit_frame_bytes=100_000) as server, joined(server, 1) as ann:
            await ann.edit(ann.replica.create(file="kept"))
            texts = [text for text in text_frames(Random(2), 150) if text.isascii() and "generate" not in text]
            plain, native, packed = await asyncio.gather(
                thrown(server.url(), y_frames(Random(1), 200)),
                thrown(server.url(prefix="/collaborate/"), texts),
                thrown(server.url(prefix="/collaborate/"), packed_frames(Random(3), 150), ["pairloom.msgpack"]),
            )
            # A bad frame of the native dialect is answered; one of y-websocket's ends its connection.
            assert plain > 30
            assert (native, packed) == (1, 1)
            await ann.edit(ann.replica.insert(0, "still here", file="kept"))
            async with joined(server, 2) as bob:
                await bob.until(lambda: bob.replica.has("kept") and bob.replica.read("kept") == "still here")
            async with server.state.hub.held(RoomId("r")) as host:
                await host.durable()
    assert escaped == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith(("server", "collab"))] == []
