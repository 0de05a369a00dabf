"""The WebSocket protocol of the process: uvicorn's own, with a short way for data frames.

uvicorn hands each message to the application through a queue, pauses reading meanwhile and frames each message
for each connection anew. Here whole frames go straight to a receiver and bytes that were framed once go straight
to each transport. Handshake, control frames, fragments and every error stay with uvicorn and websockets.

Source of the framing: RFC 6455, section 5.2.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import Any, Final, Protocol, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.speedups import apply_mask

EXTENSION: Final = "pairloom.transport"
"""Where an ASGI application finds the protocol object in its scope's ``extensions``."""

_BINARY: Final = 0x82
_TEXT: Final = 0x81
_MASKED: Final = 0x80
_BUFFERED: Final = 64 * 1024
"""A larger frame that is not here yet whole is left to websockets, which collects it without copying."""

logger = logging.getLogger(__name__)


def frame(payload: bytes, opcode: int = _BINARY) -> bytes:
    """A whole, unmasked WebSocket frame, as servers send them."""
    length = len(payload)
    if length < 126:
        return bytes((opcode, length)) + payload
    if length < 65536:
        return struct.pack("!BBH", opcode, 126, length) + payload
    return struct.pack("!BBQ", opcode, 127, length) + payload


def text_frame(text: str) -> bytes:
    """A text frame."""
    return frame(text.encode(), _TEXT)


class Receiver(Protocol):
    """Who gets what a connection sends, once it has been accepted. Called in the event loop."""

    def received(self, data: bytes | str) -> None:
        """One whole message."""
        ...

    def paused(self) -> None:
        """The transport's buffer is over its high-water mark."""
        ...

    def resumed(self) -> None:
        """The transport's buffer has drained."""
        ...

    def leaving(self) -> None:
        """The process stops and is about to close the connection."""
        ...

    def lost(self) -> None:
        """The connection has ended, or is about to: nothing more comes."""
        ...


class RoomTransport(WebSocketsSansIOProtocol):
    """One connection. ``attach`` takes it over from the ASGI application that accepted it."""

    receiver: Receiver | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tail = b""
        self._elsewhere = 0  # Bytes of a frame that websockets is collecting.
        self._closed: asyncio.Future[None] | None = None
        self._ponged: asyncio.Future[None] | None = None
        self._largest = self.config.ws_max_size

    # What the application uses

    def attach(self, receiver: Receiver, high_water: int) -> None:
        """From now on messages go to ``receiver``; those that wait in uvicorn's queue go first.

        ``high_water``: bytes in the transport's buffer above which ``receiver.paused`` is called.
        """
        self.receiver = receiver
        self.transport.set_write_buffer_limits(high=high_water)
        while not self.queue.empty():
            message = self.queue.get_nowait()
            if message["type"] == "websocket.receive":
                text = message.get("text")
                self._deliver(text if text is not None else message.get("bytes") or b"")
            else:
                self.queue.put_nowait(message)
                break
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    async def wait_closed(self) -> None:
        """Returns when the connection has ended."""
        if self.disconnected:
            return
        self._closed = self.loop.create_future()
        await self._closed

    def write(self, framed: bytes) -> None:
        """Writes bytes that are framed already; nothing once the connection is closing."""
        if not self.close_sent and not self.disconnected:
            self.transport.write(framed)

    @property
    def buffered(self) -> int:
        """Bytes that wait in the transport's buffer."""
        return 0 if self.disconnected else self.transport.get_write_buffer_size()

    def end(self, code: int, reason: str) -> None:
        """Closes the connection with a code and a reason (cut to what a close frame holds)."""
        self._release()
        if self.close_sent or self.disconnected:
            return
        cut = reason.encode()[:120].decode(errors="ignore")
        try:
            self.conn.send_close(code, cut)
        except InvalidState:
            self.transport.close()
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    def probe(self, pong: asyncio.Future[None]) -> None:
        """Sends a ping; ``pong`` is set when anything is heard from the other side."""
        self._ponged = pong
        if not self.close_sent and not self.disconnected:
            self.conn.send_ping(b"probe")
            self.transport.write(b"".join(self.conn.data_to_send()))

    # What uvicorn calls

    def handle_connect(self, event: Request) -> None:
        """The handshake: lets the application find this object."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast(dict[str, object], self.scope["extensions"])[EXTENSION] = self

    def data_received(self, data: bytes) -> None:
        """Whole, masked data frames are taken apart here; all else goes to websockets."""
        if self._ponged is not None:
            self._answered()
        if self.receiver is None and not self._tail:
            super().data_received(data)
            return
        if self._elsewhere:
            data = self._pass_on(data)
        if self._tail:
            data = self._tail + data
            self._tail = b""
        at, end = 0, len(data)
        while end - at >= 2 and self.receiver is not None:
            second = data[at + 1]
            if not second & _MASKED:
                # An error whose place in the stream only websockets knows.
                super().data_received(data[at:])
                return
            if end - at < 6:
                break
            length = second & 0x7F
            start = at + 6
            if length == 126:
                start = at + 8
                if end - at < 8:
                    break
                length = int.from_bytes(data[at + 2 : at + 4], "big")
            elif length == 127:
                start = at + 14
                if end - at < 14:
                    break
                length = int.from_bytes(data[at + 2 : at + 10], "big")
            if length > self._largest:
                super().data_received(data[at:])
                return
            if end - start < length:
                if length <= _BUFFERED:
                    break
                self._elsewhere = start + length - at
                self._pass_on(data[at:])
                return
            if data[at] == _BINARY:
                self._deliver(apply_mask(data[start : start + length], data[start - 4 : start]))
            else:
                super().data_received(data[at : start + length])
            at = start + length
        if at < end:
            if self.receiver is None:
                super().data_received(data[at:])
            else:
                self._tail = data[at:]

    def handle_parser_exception(self) -> None:
        """What came is no WebSocket: websockets has said so, and the connection ends."""
        self._release()
        super().handle_parser_exception()

    def shutdown(self) -> None:
        """The process stops: says goodbye first."""
        if self.receiver is not None:
            self.receiver.leaving()
            self._release()
        super().shutdown()

    def send_receive_event_to_app(self) -> None:
        """A message that websockets put together: text, or fragments."""
        if self.receiver is None:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.curr_msg_data_type == "bytes":
            self._deliver(data)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.end(1007, "A text message is not UTF-8.")
            return
        self._deliver(text)

    def handle_close(self, event: Frame) -> None:
        """The other side closes: nothing more is written to it."""
        self._release()
        super().handle_close(event)

    def pause_writing(self) -> None:
        """The buffer is over its high-water mark."""
        super().pause_writing()
        if self.receiver is not None:
            self.receiver.paused()

    def resume_writing(self) -> None:
        """The buffer has drained."""
        super().resume_writing()
        if self.receiver is not None:
            self.receiver.resumed()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, by whichever side."""
        self._release()
        self._tail = b""
        super().connection_lost(exc)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    # Inside

    def _release(self) -> None:
        receiver, self.receiver = self.receiver, None
        if receiver is not None:
            receiver.lost()

    def _deliver(self, data: bytes | str) -> None:
        if self.receiver is not None:
            self.receiver.received(data)

    def _pass_on(self, data: bytes) -> bytes:
        """Feeds websockets what belongs to the frame that it collects; returns what comes after it."""
        mine, rest = data[: self._elsewhere], data[self._elsewhere :]
        self._elsewhere -= len(mine)
        super().data_received(mine)
        return rest

    def _answered(self) -> None:
        pong, self._ponged = self._ponged, None
        if pong is not None and not pong.done():
            pong.set_result(None)
