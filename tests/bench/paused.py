"""A raw y-websocket client that reads nothing until it is told to."""

from __future__ import annotations

import os
import socket
import struct

from collab.document import Document
from collab.wire import decode_state_vector, read_bytes, read_uint

RECEIVE_BUFFER = 4096


class PausedClient:
    """Joins a room, and then leaves everything that the server sends in the socket."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.socket()
        # Set before the connection is made, so that the window is small from the start.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._socket.recv(4096)
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101")
        self._send(b"\x00\x00\x01\x00")
        self._send(b"\x00\x01\x02\x00\x00")

    def resume(self, document: Document, edits: int) -> None:
        """Reads on the same connection until the document holds so many characters."""
        self._socket.settimeout(30)
        while sum(decode_state_vector(document.state_vector()).values()) < edits:
            frame = self._frame()
            if frame[:1] == b"\x00" and frame[1:2] in {b"\x01", b"\x02"}:
                _, at = read_uint(frame, 1)
                document.apply([read_bytes(frame, at)[0]])

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()

    def _send(self, payload: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self._socket.sendall(bytes((0x82, 0x80 | len(payload))) + mask + masked)

    def _frame(self) -> bytes:
        head = self._take(2)
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        payload = self._take(length)
        return payload if head[0] == 0x82 else b""

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            more = self._socket.recv(65536)
            assert more, "the server closed the connection of the paused client"
            self._buffer += more
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken
