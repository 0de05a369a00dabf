"""What was made of files, for other processes too: found by the text that it was made of.

A file that changes has another key, so nothing of an older text is ever found for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, Protocol

from collab.ids import RoomId

PIECE_CHARACTERS: Final = 16_000
"""A longer piece is not kept."""
FORM: Final = 1
"""Goes up when pieces are made in another way: processes of several versions may share a cache."""


class PieceCache(Protocol):
    """Keeps pieces for a while. Raises StoreError only, and may forget whatever it likes at any time."""

    async def get(self, room: RoomId, keys: Sequence[str]) -> list[str | None]:
        """The piece of each key, None where there is none."""
        ...

    async def put(self, room: RoomId, pieces: Mapping[str, str]) -> None:
        """Keeps pieces by their keys; those that are too long are not kept."""
        ...

    async def forget(self, room: RoomId) -> None:
        """The room is deleted."""
        ...


def key_of(kind: str, path: str, text: str) -> str:
    """The key of what this kind of piece is for a file of this path and text."""
    digest = blake2b(f"{FORM}\0{kind}\0{path}\0".encode(), digest_size=16)
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class MemoryPieces:
    """Implements PieceCache for one process: the twin of the one over Redis."""

    def __init__(self) -> None:
        self._rooms: dict[RoomId, dict[str, str]] = {}

    async def get(self, room: RoomId, keys: Sequence[str]) -> list[str | None]:
        """See PieceCache.get."""
        kept = self._rooms.get(room, {})
        return [kept.get(key) for key in keys]

    async def put(self, room: RoomId, pieces: Mapping[str, str]) -> None:
        """See PieceCache.put."""
        short = {key: piece for key, piece in pieces.items() if len(piece) <= PIECE_CHARACTERS}
        self._rooms.setdefault(room, {}).update(short)

    async def forget(self, room: RoomId) -> None:
        """See PieceCache.forget."""
        self._rooms.pop(room, None)
