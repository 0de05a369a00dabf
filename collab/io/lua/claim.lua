-- KEYS: base. ARGV: node, dead nodes. {node, token} of the keeper there is now. A token is never below the time
-- in microseconds, so that one which Redis has forgotten does not come again.
local keep = KEYS[1] .. ':keep'
local found = redis.call('HMGET', keep, 'node', 'token')
local free = not found[1]
for i = 2, #ARGV do
  free = free or ARGV[i] == found[1]
end
if found[1] == ARGV[1] or not free then
  return {found[1], tonumber(found[2])}
end
local now = redis.call('TIME')
local token = math.max(tonumber(found[2] or 0) + 1, now[1] * 1000000 + now[2])
redis.call('HSET', keep, 'node', ARGV[1], 'token', token)
redis.call('PERSIST', keep)
return {ARGV[1], token}
