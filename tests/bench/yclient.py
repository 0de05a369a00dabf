"""A y-websocket client that types single characters and measures when the others' arrive."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect

from collab.wire import read_bytes, read_uint, sync_step1, sync_update, write_bytes, write_uint

EMPTY_STEP2 = b"\x00\x01\x02\x00\x00"


def keystroke(client: int, clock: int, character: str) -> bytes:
    """The update of one character typed after the client's last one, as Yjs encodes it."""
    head = b"\x01\x01" + write_uint(client) + write_uint(clock)
    if clock == 0:
        place = b"\x04" + write_uint(1) + write_bytes(b"content")
    else:
        place = b"\x84" + write_uint(client) + write_uint(clock - 1)
    return head + place + write_bytes(character.encode()) + b"\x00"


class YClient:
    """One connection. ``arrivals`` holds (time, update) of everything that came after the sync."""

    def __init__(self, url: str, client: int) -> None:
        self._url = url
        self._client = client
        self._clock = 0
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self.synced = asyncio.Event()
        self.sent: list[float] = []
        self.arrivals: list[tuple[float, bytes]] = []
        self.arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._socket = await connect(self._url, compression=None, max_size=None, ping_interval=None)
        self._reader = asyncio.create_task(self._read(self._socket))
        await self._socket.send(sync_step1(b"\x00"))
        await self.synced.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        assert self._reader is not None
        await self._socket.close()
        await self._reader

    async def type(self, character: str = "a") -> None:
        """Sends one keystroke."""
        assert self._socket is not None
        update = keystroke(self._client, self._clock, character)
        self._clock += 1
        self.sent.append(time.perf_counter())
        await self._socket.send(sync_update(update))

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            assert isinstance(frame, bytes)
            if frame[0] != 0:
                continue
            sub, at = read_uint(frame, 1)
            if sub == 0:
                await socket.send(EMPTY_STEP2)
            elif sub == 1:
                self.synced.set()
            else:
                self.arrivals.append((time.perf_counter(), read_bytes(frame, at)[0]))
                self.arrived.set()
