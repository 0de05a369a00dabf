-- What the scripts of a room share; put before each of them.
--
-- A base is 'pairloom:{<room>}': how the names of a room's keys begin, and its channel.
--   :log      stream; ids <position>-0; e: packed entry, s: bytes of all updates up to here
--   :meta     hash; log (identity), last, writer, number (stamp of the last entry), bytes (of all updates ever),
--             changed (ms), records (bytes); of the checkpoint: cp (position), cpwriter, cpnumber (stamp),
--             cpsum (the s of its entry), cpms, cpid, cppieces, cpsize, cpcrc, cpbytes (of state and pending)
--   :writers  hash; writer -> '<last number> <ms>'
--   :refused  set; '<number> <writer>' of entries whose fence was not the newest
--   :checkpoint:<cpid>  hash; piece -> bytes
--   :puts     hash; '<kind> <key>' of a record -> '<number> <writer>' of the last call that stored it; for an hour
--   :record:<kind>, :kinds, :nodes, :keep (node, token), :lock, :gone (identities of deleted logs)

local function milliseconds()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- A node's id is <writer>.<number>.
local function peers_of(base, writer)
  local count = 0
  for _, node in ipairs(redis.call('SMEMBERS', base .. ':nodes')) do
    if string.match(node, '^(.*)%.') ~= writer then
      count = count + 1
    end
  end
  return count
end

local function publish(base, sharded, message)
  redis.call(sharded and 'SPUBLISH' or 'PUBLISH', base, cmsgpack.pack(message))
end

local function room_of(base)
  local found = redis.call('HMGET', base .. ':meta', 'log', 'last', 'writer', 'number', 'bytes', 'changed')
  return {
    log = found[1] or '',
    last = tonumber(found[2] or 0),
    writer = found[3] or '',
    number = tonumber(found[4] or 0),
    bytes = tonumber(found[5] or 0),
    changed = tonumber(found[6] or 0),
  }
end

-- Whether the log has the entry of this stamp at a position; not where that cannot be told (any more).
local function shows(base, room, position, writer, number)
  if position > room.last then
    return false
  end
  if position == 0 or writer == '' then
    return true
  end
  if position == room.last then
    return writer == room.writer and number == room.number
  end
  local id = string.format('%d-0', position)
  local item = redis.call('XRANGE', base .. ':log', id, id)[1]
  if item then
    local by, which = unpack(cmsgpack.unpack(item[2][2]))
    return writer == by and number == which
  end
  local found = redis.call('HMGET', base .. ':meta', 'cp', 'cpwriter', 'cpnumber')
  return tonumber(found[1] or 0) == position and writer == found[2] and number == tonumber(found[3])
end

local function known_of(base, writer)
  return tonumber(string.match(redis.call('HGET', base .. ':writers', writer) or '0', '^%d+'))
end

local function newest_token(base)
  return tonumber(redis.call('HGET', base .. ':keep', 'token') or 0)
end

local function is_gone(base, log)
  return log ~= '' and redis.call('SISMEMBER', base .. ':gone', log) == 1
end

-- Writes entries {number, ms, size, packed} at the end of the log, which it begins as `fresh` if there is none,
-- and tells the other nodes in the room. The first write of a script must be one that a full Redis refuses:
-- after it, Redis lets all others of the script pass, so that it is carried out whole or not at all.
local function add(base, room, writer, known, entries, how)
  local first = room.last + 1
  local begun = room.log == ''
  if begun then
    room.log = how.fresh
  end
  local packed = {}
  for i, entry in ipairs(entries) do
    room.bytes = room.bytes + entry[3]
    room.changed = math.max(room.changed, entry[2])
    packed[i] = entry[4]
  end
  room.last = room.last + #entries
  local fields = {'log', room.log, 'last', room.last, 'bytes', room.bytes, 'changed', room.changed}
  if #entries > 0 then
    room.writer, room.number = writer, entries[#entries][1]
    fields[9], fields[10], fields[11], fields[12] = 'writer', writer, 'number', room.number
  end
  redis.call('HSET', base .. ':meta', unpack(fields))
  if begun then
    -- Of a log whose meta hash somebody has removed.
    redis.call('UNLINK', base .. ':log')
    if how.index ~= '' then
      redis.call('ZADD', how.index, 0, string.match(base, '{(.*)}$'))
    end
  end
  local sum = room.bytes
  for i = #entries, 1, -1 do
    local size = entries[i][3]
    entries[i][3] = sum
    sum = sum - size
  end
  for i, entry in ipairs(entries) do
    redis.call('XADD', base .. ':log', string.format('%d-0', first + i - 1), 'e', entry[4], 's', entry[3])
  end
  redis.call('HSET', base .. ':writers', writer, string.format('%d %d', known, how.now))
  local peers = peers_of(base, writer)
  if peers > 0 and (#entries > 0 or how.renamed) then
    publish(base, how.sharded, {'e', room.log, first, writer, packed})
  end
  return first, peers
end

-- Entries from a position on, at most about `most` bytes of them (but one at least), as a list of packed ones.
local function read(base, from, last, before, most)
  local count = math.min(512, last - from + 1)
  if count < 1 then
    return {}
  end
  -- The sums tell where to stop without reading what is too much.
  while count > 1 do
    local id = string.format('%d-0', from + count - 1)
    local item = redis.call('XRANGE', base .. ':log', id, id)[1]
    if not item or tonumber(item[2][4]) - before <= most then
      break
    end
    count = math.floor(count / 4)
  end
  local ids = {string.format('%d-0', from), string.format('%d-0', last)}
  local items = redis.call('XRANGE', base .. ':log', ids[1], ids[2], 'COUNT', math.max(1, count))
  local packed = {}
  for i, item in ipairs(items) do
    if item[1] ~= string.format('%d-0', from + i - 1) then
      break
    end
    packed[i] = item[2][2]
  end
  return packed
end

-- The sum at a position, for `read`; a checkpoint's is in the meta hash.
local function sum_at(base, position, cp, cpsum)
  if position <= cp then
    return cpsum
  end
  local id = string.format('%d-0', position)
  local item = redis.call('XRANGE', base .. ':log', id, id)[1]
  return item and tonumber(item[2][4]) or 0
end
