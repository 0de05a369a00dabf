"""What was made of files, in Redis: one hash for each room, which ends some time after a piece was added last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from collab.ids import RoomId
from generation.context.shared import PIECE_CHARACTERS

if TYPE_CHECKING:
    from collab.io.redis_link import RedisLink

MOST: Final = 4_000
"""Pieces of one room: with more it begins anew, as most of them are of texts that are no more."""
SECONDS: Final = 3_600.0

_PUT: Final = """
if redis.call('HLEN', KEYS[1]) + (#ARGV - 2) / 2 > tonumber(ARGV[1]) then
  redis.call('UNLINK', KEYS[1])
end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""


class RedisPieces:
    """Implements ``generation.context.shared.PieceCache``."""

    def __init__(self, link: RedisLink, prefix: str, *, most: int = MOST, seconds: float = SECONDS) -> None:
        self._link = link
        self._prefix = prefix
        self._most = most
        self._lasts = max(1, round(seconds * 1000))
        self._put = link.prepare(_PUT)

    async def get(self, room: RoomId, keys: Sequence[str]) -> list[str | None]:
        """See PieceCache.get."""
        if not keys:
            return []
        with self._link.failures():
            found: list[bytes | None] = await self._link.client.hmget(self._name(room), list(keys))
        return [None if piece is None else piece.decode("utf-8", "replace") for piece in found]

    async def put(self, room: RoomId, pieces: Mapping[str, str]) -> None:
        """See PieceCache.put."""
        flat: list[str | bytes] = []
        for key, piece in pieces.items():
            if len(piece) <= PIECE_CHARACTERS:
                flat += (key, piece.encode("utf-8", "replace"))
        if flat:
            await self._link.script(self._put, [self._name(room)], [self._most, self._lasts, *flat])

    async def forget(self, room: RoomId) -> None:
        """See PieceCache.forget."""
        with self._link.failures():
            await self._link.client.unlink(self._name(room))

    def _name(self, room: RoomId) -> str:
        return f"{self._prefix}pieces:{{{room}}}"
