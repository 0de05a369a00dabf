-- KEYS: base. ARGV: writer, sharded, index of rooms or ''. Forgets the room. Its nodes stay, and learn it; the
-- newest token of a keeper stays, so that no keeper of before gets in.
local base = KEYS[1]
local found = redis.call('HMGET', base .. ':meta', 'log', 'cpid')
local keys = {base .. ':log', base .. ':meta', base .. ':writers', base .. ':refused', base .. ':kinds', base .. ':puts'}
for _, kind in ipairs(redis.call('SMEMBERS', base .. ':kinds')) do
  keys[#keys + 1] = base .. ':record:' .. kind
end
if found[2] then
  keys[#keys + 1] = base .. ':checkpoint:' .. found[2]
end
-- First, so that a full Redis takes what follows.
redis.call('UNLINK', unpack(keys))
if found[1] then
  redis.call('SADD', base .. ':gone', found[1])
  redis.call('EXPIRE', base .. ':gone', 86400)
end
redis.call('HDEL', base .. ':keep', 'node')
redis.call('EXPIRE', base .. ':keep', 7 * 86400)
if ARGV[3] ~= '' then
  redis.call('ZREM', ARGV[3], string.match(base, '{(.*)}$'))
end
if found[1] and peers_of(base, ARGV[1]) > 0 then
  publish(base, ARGV[2] == '1', {'d', found[1], ARGV[1]})
end
return 1
