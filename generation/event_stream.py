"""Server-sent events, as models stream their answers: bytes in, in pieces of any size, the data of events out.

Source: WHATWG HTML, 9.2.6. Of an event only its data matters here.
"""

from __future__ import annotations

from typing import Final

MOST_BYTES: Final = 8_000_000
"""A single event is never longer."""
_MARK: Final = b"\xef\xbb\xbf"


class EventStream:
    """One stream. It begins with its first byte."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._tail = b""
        self._data: list[bytes] = []
        self._size = 0
        self._begun = self._returned = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that this piece completes. Raises ValueError for one that is too long."""
        if not self._begun:
            piece, self._tail = self._tail + piece, b""
            if len(piece) < len(_MARK) and _MARK.startswith(piece):
                self._tail = piece
                return []
            self._begun = True
            piece = piece.removeprefix(_MARK)
        if not piece:
            return []
        if self._returned:
            # A line may end with both, and they may come apart.
            piece = piece.removeprefix(b"\n")
        text = self._tail + piece
        lines = text.splitlines(keepends=True)
        self._tail = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        self._returned = text.endswith(b"\r")
        events: list[bytes] = []
        for line in lines:
            self._take(line.rstrip(b"\r\n"), events)
        if self._size + len(self._tail) > self._most:
            raise ValueError(f"an event of the stream has more than {self._most} bytes")
        return events

    def _take(self, line: bytes, events: list[bytes]) -> None:
        if line.startswith(b"data:"):
            data = line[6:] if line[5:6] == b" " else line[5:]
            self._data.append(data)
            self._size += len(data)
        elif line == b"data":
            self._data.append(b"")
        elif not line and self._data:
            events.append(b"\n".join(self._data))
            self._data = []
            self._size = 0
