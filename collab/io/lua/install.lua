-- KEYS: base. ARGV: token of the lock, position, id of the checkpoint, pieces, bytes of all pieces, checksum, bytes
-- of what they hold, and {log, writer, number}: the log that was read and the stamp of its last entry, or
-- an empty list. Answers with one word and the last position.
local base, token, cp, id = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local pieces, size = tonumber(ARGV[4]), tonumber(ARGV[5])
local meta, blob = base .. ':meta', base .. ':checkpoint:' .. id
if redis.call('GET', base .. ':lock') ~= token then
  return {'fenced', 0}
end
local found = redis.call(
  'HMGET', meta, 'log', 'last', 'writer', 'number', 'bytes', 'cp', 'cpid', 'cpwriter', 'cpnumber', 'cpsum')
local last, old = tonumber(found[2] or 0), tonumber(found[6] or 0)
if not found[1] or cp > last then
  return {'short', last}
end
if cp < old then
  redis.call('UNLINK', blob)
  return {'older', last}
end
local writer, number, sum
if cp == old then
  writer, number, sum = found[8], found[9], found[10]
elseif cp == last then
  writer, number, sum = found[3], found[4], found[5]
else
  local at = string.format('%d-0', cp)
  local item = redis.call('XRANGE', base .. ':log', at, at)[1]
  if not item then
    return {'damaged', last}
  end
  local entry = cmsgpack.unpack(item[2][2])
  writer, number, sum = entry[1], entry[2], item[2][4]
end
local seen = cmsgpack.unpack(ARGV[8])
if #seen > 0 and (seen[1] ~= found[1] or seen[2] ~= writer or seen[3] ~= tonumber(number)) then
  return {'changed', last}
end
local there = 0
for i = 0, pieces - 1 do
  there = there + redis.call('HSTRLEN', blob, i)
end
if there ~= size or redis.call('HLEN', blob) ~= pieces then
  return {'incomplete', last}
end
local now = milliseconds()
-- First, as it needs no memory: a full Redis takes what follows, and has more room then.
redis.call('PERSIST', blob)
redis.call(
  'HSET', meta, 'cp', cp, 'cpwriter', writer, 'cpnumber', number, 'cpsum', sum, 'cpms', now, 'cpid', id,
  'cppieces', pieces, 'cpsize', size, 'cpcrc', ARGV[6], 'cpbytes', ARGV[7])
redis.call('XTRIM', base .. ':log', 'MINID', string.format('%d-0', cp + 1))
if found[7] and found[7] ~= id then
  redis.call('UNLINK', base .. ':checkpoint:' .. found[7])
end
-- Writers that have not been heard of for a week never come back; they would pile up with every restart.
if redis.call('HLEN', base .. ':writers') > 32 then
  local writers = redis.call('HGETALL', base .. ':writers')
  for i = 1, #writers, 2 do
    if now - tonumber(string.match(writers[i + 1], '%d+$')) > 7 * 86400000 then
      redis.call('HDEL', base .. ':writers', writers[i])
    end
  end
end
return {'installed', last}
