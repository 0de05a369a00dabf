"""Answers of models in Redis, for all processes that share rooms.

Five keys in one slot: the answers, when each was used last (a count, so that no two are equal), when each ends,
that count, and the bytes of all. They vanish by themselves when nothing is kept any more.
"""

from __future__ import annotations

import logging
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from collab.errors import MalformedMessage
from collab.ids import RoomId
from generation.cache import ANSWER_BYTES, CacheBounds, CachedAnswer

if TYPE_CHECKING:
    from collab.io.redis_link import RedisLink

logger = logging.getLogger(__name__)

_BEGIN: Final = """
local ANSWERS, USED, ENDS, COUNT, BYTES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function drop(name)
  local size = redis.call('HSTRLEN', ANSWERS, name)
  redis.call('HDEL', ANSWERS, name)
  redis.call('ZREM', USED, name)
  redis.call('ZREM', ENDS, name)
  if size > 0 and redis.call('DECRBY', BYTES, size) < 0 then redis.call('SET', BYTES, 0) end
end
"""
_GET: Final = (
    _BEGIN
    + """
local ends = redis.call('ZSCORE', ENDS, ARGV[1])
if not ends then return false end
if tonumber(ends) <= now then
  drop(ARGV[1])
  return false
end
redis.call('ZADD', USED, redis.call('INCR', COUNT), ARGV[1])
return redis.call('HGET', ANSWERS, ARGV[1])
"""
)
_PUT: Final = (
    _BEGIN
    + """
local name, data, lasts = ARGV[1], ARGV[2], tonumber(ARGV[3])
local most, most_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
for _, old in ipairs(redis.call('ZRANGEBYSCORE', ENDS, '-inf', now)) do drop(old) end
drop(name)
redis.call('HSET', ANSWERS, name, data)
redis.call('ZADD', USED, redis.call('INCR', COUNT), name)
redis.call('ZADD', ENDS, now + lasts, name)
local bytes = redis.call('INCRBY', BYTES, #data)
while redis.call('ZCARD', USED) > most or bytes > most_bytes do
  local oldest = redis.call('ZRANGE', USED, 0, 0)[1]
  if not oldest then break end
  drop(oldest)
  bytes = tonumber(redis.call('GET', BYTES))
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, lasts) end
"""
)
_FORGET: Final = (
    _BEGIN
    + """
for _, name in ipairs(redis.call('ZRANGE', USED, 0, -1)) do
  if string.sub(name, 1, #ARGV[1]) == ARGV[1] then drop(name) end
end
"""
)


class RedisAnswers:
    """Implements ``generation.cache.AnswerCache``. All keys lie in one slot of a Cluster."""

    def __init__(self, link: RedisLink, prefix: str, bounds: CacheBounds | None = None) -> None:
        self._link = link
        self._bounds = bounds if bounds is not None else CacheBounds()
        self._start = f"{prefix}answers:{{answers}}:"
        self._keys = [self._start + name for name in ("kept", "used", "ends", "count", "bytes")]
        self._get, self._put, self._forget = (link.prepare(source) for source in (_GET, _PUT, _FORGET))

    async def get(self, room: RoomId, key: str) -> CachedAnswer | None:
        """See AnswerCache.get."""
        data = await self._link.script(self._get, self._keys, [_name(room, key)])
        if data is None:
            return None
        try:
            return CachedAnswer.from_bytes(data)
        except MalformedMessage as error:
            logger.warning("%s It is not used.", error.message)
            return None

    async def put(self, room: RoomId, key: str, answer: CachedAnswer) -> None:
        """See AnswerCache.put."""
        data = answer.to_bytes()
        if len(data) <= ANSWER_BYTES:
            bounds = self._bounds
            lasts = max(1, round(bounds.seconds * 1000))
            values = [_name(room, key), data, lasts, bounds.entries, bounds.total_bytes]
            await self._link.script(self._put, self._keys, values)

    async def claim(self, room: RoomId, key: str, seconds: float) -> bool:
        """See AnswerCache.claim."""
        name = f"{self._start}claim:{_name(room, key)}"
        with self._link.failures():
            return bool(await self._link.client.set(name, b"1", nx=True, px=max(1, round(seconds * 1000))))

    async def forget(self, room: RoomId) -> None:
        """See AnswerCache.forget."""
        await self._link.script(self._forget, self._keys, [_name(room, "")])


def _name(room: RoomId, key: str) -> str:
    """What an answer is called; all of one room begin alike."""
    return f"{blake2b(room.encode(), digest_size=12).hexdigest()}:{key}"
