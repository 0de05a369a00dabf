"""A RoomTransport without a socket: what comes in is given to it, what goes out is collected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from server.transport import EXTENSION, RoomTransport

REQUEST = (
    b"GET /yjs/r HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class FakeTransport(asyncio.Transport):
    """Collects what is written; its buffer is as full as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.size = 0
        self.high = 0
        self.reading = True
        self.closed = False
        self.aborted = False
        self.ended = False
        self.on_write: Callable[[], None] = lambda: None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)
        self.on_write()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 0

    def get_write_buffer_size(self) -> int:
        return self.size


class Recorder:
    """A Receiver that notes what it is told."""

    def __init__(self) -> None:
        self.messages: list[bytes | str] = []
        self.told: list[str] = []

    def received(self, data: bytes | str) -> None:
        self.messages.append(data)

    def paused(self) -> None:
        self.told.append("paused")

    def resumed(self) -> None:
        self.told.append("resumed")

    def leaving(self) -> None:
        self.told.append("leaving")

    def lost(self) -> None:
        self.told.append("lost")


@asynccontextmanager
async def accepted(max_size: int = 1_000_000) -> AsyncIterator[tuple[RoomTransport, FakeTransport]]:
    """A connection that the application has accepted and not yet handed over."""
    done = asyncio.Event()
    ready: asyncio.Future[RoomTransport] = asyncio.get_running_loop().create_future()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        ready.set_result(scope["extensions"][EXTENSION])
        await done.wait()

    config = Config(app, ws=RoomTransport, ws_max_size=max_size, ws_per_message_deflate=False, log_config=None)
    config.load()
    state = ServerState()
    protocol = RoomTransport(config=config, server_state=state, app_state={})
    transport = FakeTransport()
    protocol.connection_made(transport)
    protocol.data_received(REQUEST)
    assert await ready is protocol
    transport.written = b""
    try:
        yield protocol, transport
    finally:
        done.set()
        await asyncio.gather(*state.tasks)
        if not protocol.disconnected:
            protocol.connection_lost(None)


@asynccontextmanager
async def attached(max_size: int = 1_000_000) -> AsyncIterator[tuple[RoomTransport, FakeTransport, Recorder]]:
    """A connection that was handed over."""
    async with accepted(max_size) as (protocol, transport):
        receiver = Recorder()
        protocol.attach(receiver, 1000)
        yield protocol, transport, receiver


def masked(payload: bytes, *, opcode: int = 2, final: bool = True, mask: bytes = b"\x12\x34\x56\x78") -> bytes:
    """A frame as clients send it (RFC 6455, section 5.2)."""
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    elif len(payload) < 65536:
        head += bytes([0x80 | 126]) + len(payload).to_bytes(2, "big")
    else:
        head += bytes([0x80 | 127]) + len(payload).to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
