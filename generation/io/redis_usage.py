"""The count of what was asked of the models, in Redis, for all nodes.

Each account has two keys: a sorted set of its jobs that have not ended, by the time at which that is doubted, and
a hash of what it took in each minute of the last hour. Times are those of Redis' clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from collab.ids import JobId
from generation.usage import ACTIVE_SECONDS, MEASURES, Account, Bounds, Excess, wait_for

if TYPE_CHECKING:
    from collab.io.redis_link import RedisLink

_BEGIN: Final = """
local time = redis.call('TIME')
local now, minute = time[1] * 1000 + math.floor(time[2] / 1000), math.floor(time[1] / 60)

-- What an account took in each minute of the hour, {minute, amount, ...}, and all of it.
local function spent(key, column)
  local rows, used = {}, 0
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local at, of = string.match(all[i], '^(%d+):(%d)$')
    if tonumber(at) <= minute - 60 then
      redis.call('HDEL', key, all[i])
    elseif of == column then
      rows[#rows + 1] = at
      rows[#rows + 1] = all[i + 1]
      used = used + tonumber(all[i + 1])
    end
  end
  return rows, used
end

local function add(key, column, amount)
  redis.call('HINCRBYFLOAT', key, minute .. ':' .. column, amount)
  redis.call('EXPIRE', key, 3720)
end

local function mark(key, job, milliseconds)
  redis.call('ZADD', key, now + milliseconds, job)
  redis.call('PEXPIRE', key, 2 * milliseconds)
end

-- The first bound of these measures that is reached: account, measure, what is used, its rows, the time.
local function excess(measures)
  for account = 1, #KEYS / 2 do
    for measure = measures, 4 do
      local bound = ARGV[2 + (account - 1) * 4 + measure]
      if bound ~= '' then
        local rows, used = {}, 0
        if measure == 1 then
          used = redis.call('ZCARD', KEYS[2 * account - 1])
        else
          rows, used = spent(KEYS[2 * account], tostring(measure - 1))
        end
        if used >= tonumber(bound) then return {account, measure, tostring(used), rows, minute, time[1] % 60} end
      end
    end
  end
end
"""
"""KEYS are pairs, of the jobs and of the hour of each account. ARGV[1] is the job, ARGV[2] the time after which it
is doubted, in ms; then four bounds for each account, empty ones for none.
"""

ADMIT: Final = (
    _BEGIN
    + """
local known = false
for account = 1, #KEYS / 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[2 * account - 1], '-inf', now)
  known = known or redis.call('ZSCORE', KEYS[2 * account - 1], ARGV[1])
end
local found = not known and excess(1)
if found then return found end
for account = 1, #KEYS / 2 do
  mark(KEYS[2 * account - 1], ARGV[1], tonumber(ARGV[2]))
  if not known then add(KEYS[2 * account], '1', 1) end
end
return {}
"""
)

EXCEEDED: Final = _BEGIN + "return excess(3) or {}\n"

SPEND: Final = (
    _BEGIN
    + """
for _, key in ipairs(KEYS) do
  add(key, '2', ARGV[1])
  add(key, '3', ARGV[2])
end
"""
)
"""KEYS are the hours of the accounts, ARGV tokens and US dollars."""

RENEW: Final = (
    _BEGIN
    + """
for i, key in ipairs(KEYS) do mark(key, ARGV[i + 1], tonumber(ARGV[1])) end
"""
)
"""KEYS are the jobs of accounts, ARGV the time after which each is doubted, and the job of each key."""

LEAVE: Final = "for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end"


class RedisUsage:
    """Implements ``generation.usage.Usage``. All keys lie in one slot of a Cluster."""

    def __init__(self, link: RedisLink, prefix: str, *, active_seconds: float = ACTIVE_SECONDS) -> None:
        self._link = link
        self._prefix = f"{prefix}usage:{{usage}}:"
        self._active_ms = int(active_seconds * 1000)
        self._admit = link.prepare(ADMIT)
        self._exceeded = link.prepare(EXCEEDED)
        self._spend = link.prepare(SPEND)
        self._renew = link.prepare(RENEW)
        self._leave = link.prepare(LEAVE)

    async def admit(self, job: JobId, bounds: Sequence[tuple[Account, Bounds]]) -> Excess | None:
        """See Usage.admit."""
        found = await self._link.script(self._admit, *self._asked(job, bounds))
        return _excess(found, bounds)

    async def exceeded(self, bounds: Sequence[tuple[Account, Bounds]]) -> Excess | None:
        """See Usage.exceeded."""
        found = await self._link.script(self._exceeded, *self._asked(JobId(""), bounds))
        return _excess(found, bounds)

    async def spend(self, accounts: Sequence[Account], tokens: int, cost: float) -> None:
        """See Usage.spend."""
        keys = [self._key(account, "hour") for account in accounts]
        await self._link.script(self._spend, keys, [tokens, f"{cost:.9f}"])

    async def renew(self, active: Mapping[JobId, Sequence[Account]]) -> None:
        """See Usage.renew."""
        pairs = [(self._key(account, "active"), job) for job, accounts in active.items() for account in accounts]
        if pairs:
            keys, jobs = zip(*pairs, strict=True)
            await self._link.script(self._renew, keys, [self._active_ms, *jobs])

    async def leave(self, job: JobId, accounts: Sequence[Account]) -> None:
        """See Usage.leave."""
        await self._link.script(self._leave, [self._key(account, "active") for account in accounts], [job])

    def _asked(
        self, job: JobId, bounds: Sequence[tuple[Account, Bounds]]
    ) -> tuple[list[str], list[str | int | float]]:
        keys = [self._key(account, part) for account, _ in bounds for part in ("active", "hour")]
        given = [bound.of(measure) for _, bound in bounds for measure in MEASURES]
        return keys, [job, self._active_ms, *("" if one is None else one for one in given)]

    def _key(self, account: Account, part: str) -> str:
        return f"{self._prefix}{part}:{account.scope}:{account.name}"


def _excess(found: Sequence[object], bounds: Sequence[tuple[Account, Bounds]]) -> Excess | None:
    if not found:
        return None
    number, measure_number, used, rows, minute, second = found
    assert isinstance(number, int)
    assert isinstance(measure_number, int)
    assert isinstance(used, bytes)
    assert isinstance(rows, list)
    assert isinstance(minute, int)
    assert isinstance(second, int)
    account, bound = bounds[number - 1]
    measure = MEASURES[measure_number - 1]
    most = bound.of(measure)
    assert most is not None
    spent = [(int(at), float(amount)) for at, amount in zip(rows[::2], rows[1::2], strict=True)]
    wait = wait_for(spent, most, minute, second) if measure != "at_once" else 0.0
    return Excess(account, measure, most, float(used), wait)
