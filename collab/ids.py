"""Names of rooms, files and people, and the rules that make them valid."""

from __future__ import annotations

import re
import unicodedata
from typing import NewType, Protocol

from collab.errors import InvalidPath, InvalidRoomName

RoomId = NewType("RoomId", str)
"""A room's name: the raw path after the dialect's prefix, as sent, never percent-decoded."""
FileId = NewType("FileId", str)
"""The key of a file in the document's ``files`` map."""
FilePath = NewType("FilePath", str)
"""A relative POSIX path in NFC; only a label of a file."""
ConnectionId = NewType("ConnectionId", str)
PersonId = NewType("PersonId", str)
JobId = NewType("JobId", str)
SuggestionId = NewType("SuggestionId", str)
NodeId = NewType("NodeId", str)
"""One process of a cluster, for as long as its lease lasts; a new one after it has lost that."""
ClientId = NewType("ClientId", int)
"""A Yjs client id: 32 bits where we make one, up to 53 where a client does."""

MAX_ROOM_BYTES = 255
MAX_PATH_BYTES = 1024
MAX_CLIENT_ID = 2**53 - 1

_ROOM = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@%/]+")
SHORT_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without look-alikes."""


class Random(Protocol):
    """The part of ``random.Random`` that the core uses; passed in, so that runs can be replayed."""

    def getrandbits(self, k: int, /) -> int:
        """``k`` random bits as a number."""
        ...


def room_id(raw: str) -> RoomId:
    """Checks a room's name, which is a URL path as sent (RFC 3986 ``pchar`` and slashes).

    Raises InvalidRoomName. The name is not decoded: ``a%2Fb`` and ``a/b`` are two rooms, as they are for
    the reference server of y-websocket.
    """
    if not raw:
        raise InvalidRoomName("The room's name is empty; give one after the last slash.", field="room")
    if len(raw) > MAX_ROOM_BYTES:
        raise InvalidRoomName(
            f"The room's name has {len(raw)} characters; at most {MAX_ROOM_BYTES} are allowed.", field="room"
        )
    if not _ROOM.fullmatch(raw):
        raise InvalidRoomName(
            "The room's name may hold letters, digits and -._~!$&'()*+,;=:@/; percent-encode all else.",
            field="room",
        )
    if any(part in {"", ".", ".."} for part in raw.split("/")):
        raise InvalidRoomName(
            "The room's name has an empty part, '.' or '..' between slashes; leave it out.", field="room"
        )
    return RoomId(raw)


def file_path(raw: object) -> FilePath:
    """Checks a file's path: relative POSIX, NFC, no ``..``, no NUL, no empty part, at most 1,024 bytes.

    Raises InvalidPath, whose message says what is wrong and what to do.
    """
    if not isinstance(raw, str):
        raise InvalidPath("The path must be a string.", field="path")
    try:
        # Composing can make a text longer.
        composed = unicodedata.normalize("NFC", raw) if len(raw) <= MAX_PATH_BYTES else raw
        size = len(composed.encode())
    except UnicodeEncodeError:
        raise InvalidPath("The path holds an unpaired surrogate; send valid Unicode.", field="path") from None
    if not raw:
        raise InvalidPath("The path is empty.", field="path")
    if size > MAX_PATH_BYTES:
        raise InvalidPath(f"The path has {size} bytes; at most {MAX_PATH_BYTES} are allowed.", field="path")
    if any(unicodedata.category(char) == "Cc" for char in raw):
        raise InvalidPath("The path holds a control character; remove it.", field="path")
    if "\\" in raw:
        raise InvalidPath("The path holds a backslash; separate its parts with '/'.", field="path")
    if any(part in {"", ".", ".."} for part in raw.split("/")):
        raise InvalidPath(
            "The path must be relative, without empty parts, '.' or '..'; write it like 'src/app.py'.",
            field="path",
        )
    return FilePath(composed)


def client_id(random: Random) -> ClientId:
    """A new Yjs client id of 32 bits, as Yjs itself makes them; never 0."""
    return ClientId(random.getrandbits(32) or 1)


def short_id(random: Random, prefix: str, length: int = 7) -> str:
    """An id that a person can type: the prefix and ``length`` characters without look-alikes."""
    return prefix + "".join(SHORT_ALPHABET[random.getrandbits(16) % 31] for _ in range(length))
