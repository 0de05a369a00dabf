"""Texts that were handed out or taken in, by their versions, so that a writer's older copy is known again."""

from __future__ import annotations

import asyncio
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from collab.ids import FileId, RoomId

_LEVEL: Final = 1
INLINE_CHARS: Final = 64 * 1024
_OVERHEAD: Final = 200
"""Bytes that an entry takes beside its text, about."""


def version_of(text: str) -> str:
    """The version of a text: a hash of it, so that it needs no tracking and survives a restart."""
    return blake2b(text.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Known:
    """A text that a file once had. ``file`` is None if it is not known which one that was."""

    text: str
    file: FileId | None = None


class Texts:
    """A memory of so many bytes for all rooms; what was not asked for longest is forgotten first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._entries: OrderedDict[tuple[RoomId, str], tuple[bytes, FileId | None]] = OrderedDict()

    async def remember(self, room: RoomId, text: str, file: FileId | None = None) -> str:
        """Keeps a text; its version. One that is known already costs only its hash."""
        version = version_of(text)
        key = (room, version)
        known = self._entries.get(key)
        if known is not None:
            self._entries.move_to_end(key)
            if file is not None and known[1] != file:
                self._entries[key] = known[0], file
            return version
        if len(text) <= INLINE_CHARS:
            self._put(key, _packed(text), file)
        else:
            self._put(key, await asyncio.to_thread(_packed, text), file)
        return version

    def _put(self, key: tuple[RoomId, str], data: bytes, file: FileId | None) -> None:
        if key not in self._entries and len(data) + _OVERHEAD <= self._most:
            self._entries[key] = data, file
            self._bytes += len(data) + _OVERHEAD
            while self._bytes > self._most:
                _, (gone, _) = self._entries.popitem(last=False)
                self._bytes -= len(gone) + _OVERHEAD

    def find(self, room: RoomId, version: str) -> Known | None:
        """The text of a version, if it is known still."""
        found = self._entries.get((room, version))
        if found is None:
            return None
        self._entries.move_to_end((room, version))
        return Known(zlib.decompress(found[0]).decode(), found[1])

    def forget(self, room: RoomId) -> None:
        """The room is deleted."""
        for key in [key for key in self._entries if key[0] == room]:
            self._bytes -= len(self._entries.pop(key)[0]) + _OVERHEAD


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), _LEVEL)
