-- KEYS: bases. ARGV: node. For each all nodes that hold the room, this one included.
local answers = {}
for i, base in ipairs(KEYS) do
  -- After a write that needs no memory, a full Redis takes the other too.
  redis.call('SREM', base .. ':nodes', '')
  redis.call('SADD', base .. ':nodes', ARGV[1])
  answers[i] = redis.call('SMEMBERS', base .. ':nodes')
end
return cmsgpack.pack(answers)
