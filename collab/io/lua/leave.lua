-- KEYS: base. ARGV: nodes, which do not hold the room any more. A keep is ended by unclaim, which names its token:
-- this may come late, when the node holds the room again.
for _, node in ipairs(ARGV) do
  redis.call('SREM', KEYS[1] .. ':nodes', node)
end
return 1
