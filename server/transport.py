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

from uvicorn._types import ASGIReceiveEvent, WebSocketScope
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

LINGER_SECONDS: Final = 2.0
"""How long a connection that broke the protocol is still read from, so that it learns why it ends."""

logger = logging.getLogger(__name__)


class _Nobody:
    """Stands in for what uvicorn tells an application that has returned. It holds nothing."""

    __slots__ = ()

    def put_nowait(self, message: object) -> None:
        """As a queue that nobody reads."""

    def set(self) -> None:
        """As an event that nobody waits for."""

    def clear(self) -> None:
        """As an event that nobody waits for."""

    def cancel(self) -> None:
        """As a timer that never fires."""


_NOBODY: Final = _Nobody()


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
        self.parting = False
        self._tail = b""
        self._elsewhere = 0  # Bytes of a frame that websockets is collecting.
        self._ponged: list[asyncio.Future[None]] = []
        self._attached = False
        self._broken = False
        self._early = b""  # What came between the handshake and ``attach``.
        self._largest = self.config.ws_max_size

    # What the application uses

    def attach(self, receiver: Receiver, high_water: int) -> None:
        """From now on messages go to ``receiver``; those that have come since the handshake go first.

        ``high_water``: bytes in the transport's buffer above which ``receiver.paused`` is called. Calls
        ``receiver.lost`` at once if the connection has ended meanwhile.
        """
        self.receiver = receiver
        self._attached = True
        if self.disconnected or self.close_sent:
            self._release()
            return
        self.transport.set_write_buffer_limits(high=high_water)
        waiting = []
        while not self.queue.empty():
            waiting.append(self.queue.get_nowait())
        self._detach()
        for message in waiting:
            if message["type"] == "websocket.receive":
                text = message.get("text")
                self._deliver(text if text is not None else message.get("bytes") or b"")
        self._take_early()

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
        # A reader that has stopped would keep a transport that is only closed for ever.
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)
        self._take_early()

    def probe(self, pong: asyncio.Future[None]) -> None:
        """Sends a ping; ``pong`` is set when anything is heard from the other side."""
        self._ponged.append(pong)
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
        if self._ponged:
            self._answered()
        if self.receiver is None:
            self._unattended(data)
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
            if self._released():
                super().data_received(data[at:])
            else:
                self._tail = data[at:]

    def handle_parser_exception(self) -> None:
        """What came is no WebSocket, or too large: websockets has said so, and the connection ends.

        What the client goes on sending is read and thrown away for a moment: were the socket closed with
        unread bytes, the client would see a reset and not the reason.
        """
        self._release()
        if not self._attached:
            super().handle_parser_exception()
            return
        if self._broken:
            return
        self._broken = True
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """No answer to a ping: nobody will read what waits, so the connection ends at once."""
        super().keepalive_timeout()
        self.transport.abort()

    def shutdown(self) -> None:
        """The process stops: says goodbye first. A second call does nothing."""
        if self.parting:
            return
        self.parting = True
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

    # Inside

    def _detach(self) -> None:
        """Lets go of what only the ASGI application used: some kilobytes for each of thousands of connections.

        The close timer keeps uvicorn from closing the transport when the application returns.
        """
        self.queue = cast("asyncio.Queue[ASGIReceiveEvent]", _NOBODY)
        self.writable = cast(asyncio.Event, _NOBODY)
        self.close_timer = cast(asyncio.TimerHandle, _NOBODY)
        self.scope = cast(WebSocketScope, {})
        del self.request, self.response

    def _released(self) -> bool:
        # Asked anew: what was delivered may have ended the connection.
        return self.receiver is None

    def _release(self) -> None:
        receiver, self.receiver = self.receiver, None
        if receiver is not None:
            receiver.lost()

    def _deliver(self, data: bytes | str) -> None:
        if self.receiver is not None:
            self.receiver.received(data)

    def _unattended(self, data: bytes) -> None:
        if self._attached or not self.handshake_complete or self.close_sent:
            data, self._tail = self._tail + data, b""
            super().data_received(data)
            return
        # Were websockets to begin with a frame, its rest would come here after ``attach``.
        self._early += data
        if len(self._early) > _BUFFERED and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def _take_early(self) -> None:
        early, self._early = self._early, b""
        if early:
            self.data_received(early)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _pass_on(self, data: bytes) -> bytes:
        """Feeds websockets what belongs to the frame that it collects; returns what comes after it."""
        mine, rest = data[: self._elsewhere], data[self._elsewhere :]
        self._elsewhere -= len(mine)
        super().data_received(mine)
        return rest

    def _answered(self) -> None:
        pongs, self._ponged = self._ponged, []
        for pong in pongs:
            if not pong.done():
                pong.set_result(None)
