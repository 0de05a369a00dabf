"""The scripts of the job board. Each is one atomic step over the lines of all priorities.

KEYS are the lines, highest priority first, and last the bell: a stream of at most one entry, to which something is
added when a ticket comes back to a line without being a new entry. ARGV[1] is the node. A ticket that came back
belongs to the consumer ``-`` until it is taken again, so it keeps its id and the count of its deliveries.
"""

from __future__ import annotations

from typing import Final

GROUP: Final = "pairloom"

_BEGIN: Final = """
local GROUP, BACK, LINES = 'pairloom', '-', #KEYS - 1

-- A command on a group; the group is made where it is missing: at first, and when Redis has lost it.
local function on(key, ...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'NOGROUP', 1, true) then error(reply) end
    redis.call('XGROUP', 'CREATE', key, GROUP, '0', 'MKSTREAM')
    reply = redis.call(...)
  end
  return reply
end

local function last(key)
  local info = redis.pcall('XINFO', 'STREAM', key)
  if info.err then return '0-0' end
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

local function pending(key, id)
  return on(key, 'XPENDING', key, GROUP, id, id, 1)[1]
end

-- Gives a pending ticket to the node: {line, id, deliveries, fields}, or nil when its entry is gone.
local function claim(line, one)
  local key, id = KEYS[line], one[1]
  local entry = redis.call('XCLAIM', key, GROUP, ARGV[1], 0, id)[1]
  if not entry then
    redis.call('XACK', key, GROUP, id)
    return nil
  end
  return {line, id, one[4] + 1, entry[2]}
end
"""

TAKE: Final = (
    _BEGIN
    + """
for line = 1, LINES do
  local key = KEYS[line]
  while true do
    local one = on(key, 'XPENDING', key, GROUP, '-', '+', 1, BACK)[1]
    if not one then break end
    local ticket = claim(line, one)
    if ticket then return ticket end
  end
  local read = on(key, 'XREADGROUP', 'GROUP', GROUP, ARGV[1], 'COUNT', 1, 'STREAMS', key, '>')
  if read then
    local entry = read[1][2][1]
    return {line, entry[1], 1, entry[2]}
  end
end
local ends = {0}
for i = 1, #KEYS do ends[i + 1] = last(KEYS[i]) end
return ends
"""
)
"""A ticket, or 0 and the last ids of all keys, after which whatever comes is to be waited for."""

BEAT: Final = (
    _BEGIN
    + """
local function parts(id)
  local ms, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(number)
end

-- A line whose ids have not come as far has been lost, and the ticket with it: nobody else has that.
local function forgotten(key, id)
  local ms, number = parts(id)
  local last_ms, last_number = parts(last(key))
  return last_ms < ms or (last_ms == ms and last_number < number)
end

local lost = {}
for i = 2, #ARGV, 2 do
  local key, id = KEYS[tonumber(ARGV[i])], ARGV[i + 1]
  local one = pending(key, id)
  if one and one[2] == ARGV[1] then
    redis.call('XCLAIM', key, GROUP, ARGV[1], 0, id, 'JUSTID')
  elseif one or not forgotten(key, id) then
    lost[#lost + 1] = i / 2
  end
end
return lost
"""
)
"""ARGV goes on with pairs of line and id; the numbers of those pairs that the node has no more."""

RECLAIM: Final = (
    _BEGIN
    + """
local tickets = {}
for line = 1, LINES do
  local key = KEYS[line]
  for _, one in ipairs(on(key, 'XPENDING', key, GROUP, 'IDLE', ARGV[2], '-', '+', 100)) do
    if one[2] ~= BACK then tickets[#tickets + 1] = claim(line, one) end
  end
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', key, GROUP)) do
    local about = {}
    for i = 1, #consumer, 2 do about[consumer[i]] = consumer[i + 1] end
    if about.pending == 0 and about.idle > tonumber(ARGV[3]) then
      redis.call('XGROUP', 'DELCONSUMER', key, GROUP, about.name)
    end
  end
end
return tickets
"""
)
"""ARGV[2] is the idle time, ARGV[3] that after which a node's name is forgotten, in ms."""

HAND: Final = (
    _BEGIN
    + """
local line = tonumber(ARGV[2])
local one = pending(KEYS[line], ARGV[3])
if one then claim(line, one) end
"""
)
"""ARGV[2] is the line, ARGV[3] the id."""

DONE: Final = (
    _BEGIN
    + """
local key = KEYS[tonumber(ARGV[2])]
redis.call('XACK', key, GROUP, ARGV[3])
redis.call('XDEL', key, ARGV[3])
"""
)
"""ARGV[2] is the line, ARGV[3] the id; no matter who has it."""

DEPART: Final = (
    _BEGIN
    + """
local back = false
for line = 1, LINES do
  local key = KEYS[line]
  while true do
    local some = on(key, 'XPENDING', key, GROUP, '-', '+', 100, ARGV[1])
    if #some == 0 then break end
    for _, one in ipairs(some) do
      -- An entry that is gone leaves the list of pending ones with this.
      local moved = redis.call('XCLAIM', key, GROUP, BACK, 0, one[1], 'JUSTID')
      if #moved == 0 then redis.call('XACK', key, GROUP, one[1]) end
      back = true
    end
  end
  redis.call('XGROUP', 'DELCONSUMER', key, GROUP, ARGV[1])
end
if back then redis.call('XADD', KEYS[#KEYS], 'MAXLEN', 1, '*', 'back', ARGV[1]) end
"""
)
