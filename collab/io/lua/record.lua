-- KEYS: base. ARGV: kind, key, value, 1 to store or 0 to forget it, fence, index of rooms or '', writer, the writer's
-- number of this call. 1, or 0 when the fence is not the newest token. A call that was given up may come late: one
-- that the same writer has made before its last one for this record changes nothing.
local base, kind, key = KEYS[1], ARGV[1], ARGV[2]
local fence = tonumber(ARGV[5])
if fence > 0 and fence < newest_token(base) then
  return 0
end
local puts, place = base .. ':puts', kind .. ' ' .. key
local number, writer = string.match(redis.call('HGET', puts, place) or '', '^(%d+) (.*)$')
if writer == ARGV[7] and tonumber(number) > tonumber(ARGV[8]) then
  return 1
end
if redis.call('HLEN', puts) > 5000 then
  redis.call('UNLINK', puts)
end
redis.call('HSET', puts, place, ARGV[8] .. ' ' .. ARGV[7])
redis.call('EXPIRE', puts, 3600)
local name = base .. ':record:' .. kind
local before = redis.call('HSTRLEN', name, key)
if ARGV[4] == '1' then
  redis.call('HSET', name, key, ARGV[3])
  redis.call('SADD', base .. ':kinds', kind)
  redis.call('HINCRBY', base .. ':meta', 'records', #ARGV[3] - before)
  if ARGV[6] ~= '' then
    redis.call('ZADD', ARGV[6], 0, string.match(base, '{(.*)}$'))
  end
elseif redis.call('HDEL', name, key) == 1 then
  redis.call('HINCRBY', base .. ':meta', 'records', -before)
end
return 1
