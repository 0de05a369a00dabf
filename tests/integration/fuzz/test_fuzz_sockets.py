"""Bad frames over real sockets: each ends at most its own connection."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from random import Random
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from collab.ids import RoomId
from tests.integration.fuzz.frames import packed_frames, text_frames, y_frames
from tests.server.running import TIMEOUT, joined, running

pytestmark = pytest.mark.integration


async def thrown(url: str, frames: list[Any], subprotocols: Any = None) -> None:
    """Sends frames, and goes on with a new connection whenever one ends."""
    left = iter(frames)
    frame = next(left, None)
    while frame is not None:
        async with connect(url, subprotocols=subprotocols, compression=None, max_size=None) as one:
            try:
                while frame is not None:
                    await one.send(frame)
                    frame = next(left, None)
                async with asyncio.timeout(TIMEOUT):
                    await (await one.ping())
            except ConnectionClosed as error:
                assert error.rcvd is None or error.rcvd.code != 1011  # noqa: PT017 - any other code is fine
                frame = next(left, None)


async def test_bad_frames_on_every_dialect_leave_the_room_working(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    escaped: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
    with caplog.at_level(logging.ERROR):
        async with running(tmp_path, limit_frame_bytes=100_000) as server, joined(server, 1) as ann:
            await ann.edit(ann.replica.create(text=""))
            texts = [text for text in text_frames(Random(2), 200) if text.isascii() and "generate" not in text]
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(thrown(server.url(), [*y_frames(Random(1), 300)]))
                tasks.create_task(thrown(server.url(prefix="/collaborate/"), texts))
                tasks.create_task(
                    thrown(
                        server.url(prefix="/collaborate/"), [*packed_frames(Random(3), 200)], ["pairloom.msgpack"]
                    )
                )
            await ann.edit(ann.replica.insert(0, "still here "))
            async with joined(server, 2) as bob:
                await bob.until(lambda: "still here " in bob.text())
            async with server.state.hub.held(RoomId("r")) as host:
                await host.durable()
    assert escaped == []
    assert [record.getMessage() for record in caplog.records if record.name.startswith(("server", "collab"))] == []
