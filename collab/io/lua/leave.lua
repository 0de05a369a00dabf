-- KEYS: base. ARGV: nodes, which do not hold the room any more, nor keep its jobs.
local base = KEYS[1]
local keeper = redis.call('HGET', base .. ':keep', 'node')
for _, node in ipairs(ARGV) do
  redis.call('SREM', base .. ':nodes', node)
  if node == keeper then
    redis.call('HDEL', base .. ':keep', 'node')
  end
end
return 1
