-- KEYS: base. ARGV: kind, key, value, 1 to store or 0 to forget it, fence, index of rooms or ''. 1, or 0 when the
-- fence is not the newest token.
local base, kind, key = KEYS[1], ARGV[1], ARGV[2]
local fence = tonumber(ARGV[5])
if fence > 0 and fence < newest_token(base) then
  return 0
end
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
