-- KEYS: bases. ARGV: writer, strict, sharded, index of rooms or '', identity for logs that begin; then for each
-- base {log, position, writer, number, {number, fence, ms, size, packed, ...}}.
-- strict: one gap, and nothing is written at all: {'gap', which, number, last}.
-- Otherwise for each base {'stored', log, first, count, peers, refused, numbers if not all were taken},
-- {'behind', log, peers} or {'deleted', log, peers}.
local writer, strict = ARGV[1], ARGV[2] == '1'
local how = {sharded = ARGV[3] == '1', index = ARGV[4], fresh = ARGV[5], now = milliseconds()}

local function judge(base, wanted)
  local room = room_of(base)
  local log, position = wanted[1], wanted[2]
  if log ~= '' and log ~= room.log then
    return {answer = is_gone(base, log) and 'deleted' or 'behind', room = room}
  end
  if not shows(base, room, position, wanted[3], wanted[4]) then
    return {answer = 'behind', room = room}
  end
  local stored = known_of(base, writer)
  local known, last, token = stored, room.last, nil
  local entries, taken, refused, numbers = wanted[5], {}, {}, {}
  for i = 1, #entries, 5 do
    local number, fence = entries[i], entries[i + 1]
    if fence > 0 then
      token = token or newest_token(base)
    end
    if number > math.max(known, last) + 1 then
      return {answer = 'behind', room = room, gap = number, after = math.max(known, last)}
    end
    if fence > 0 and fence < token then
      -- One whose refusal was not heard of is refused again; one that was stored in time counts as stored.
      local name = string.format('%d %s', number, writer)
      if number > known or redis.call('SISMEMBER', base .. ':refused', name) == 1 then
        refused[#refused + 1] = number
      end
    elseif number > known then
      taken[#taken + 1] = {number, entries[i + 2], entries[i + 3], entries[i + 4]}
      numbers[#taken] = number
      last = last + 1
    end
    known = math.max(known, number)
  end
  return {
    answer = 'stored', room = room, known = known, changed = known > stored, taken = taken, refused = refused,
    numbers = #taken * 5 ~= #entries and numbers or nil,
  }
end

local judged = {}
for i, base in ipairs(KEYS) do
  judged[i] = judge(base, cmsgpack.unpack(ARGV[5 + i]))
  if strict and judged[i].gap then
    return cmsgpack.pack({'gap', i, judged[i].gap, judged[i].after})
  end
end

local answers = {}
for i, base in ipairs(KEYS) do
  local one = judged[i]
  local room = one.room
  if one.answer ~= 'stored' then
    answers[i] = {one.answer, room.log, peers_of(base, writer)}
  else
    local first, peers
    if #one.taken > 0 then
      first, peers = add(base, room, writer, one.known, one.taken, how)
    else
      first, peers = 0, peers_of(base, writer)
      if one.changed then
        redis.call('HSET', base .. ':writers', writer, string.format('%d %d', one.known, how.now))
      end
    end
    if #one.refused > 0 then
      for _, number in ipairs(one.refused) do
        redis.call('SADD', base .. ':refused', string.format('%d %s', number, writer))
      end
      redis.call('EXPIRE', base .. ':refused', 86400)
    end
    answers[i] = {'stored', room.log, first, #one.taken, peers, one.refused, one.numbers}
  end
end
return cmsgpack.pack(answers)
