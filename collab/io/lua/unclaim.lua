-- KEYS: base. ARGV: node, token.
local keep = KEYS[1] .. ':keep'
local found = redis.call('HMGET', keep, 'node', 'token')
if found[1] == ARGV[1] and tonumber(found[2]) == tonumber(ARGV[2]) then
  redis.call('HDEL', keep, 'node')
end
return 1
