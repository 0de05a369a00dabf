-- KEYS: the hash of nodes: node -> {until (ms), about}. ARGV: what to do (enroll, renew, resign), node, about,
-- milliseconds. {node, about, ...} of all live nodes; false when a lease that was to be renewed is not there.
local nodes, what, node = KEYS[1], ARGV[1], ARGV[2]
local now = milliseconds()
-- After a write that needs no memory, a full Redis takes the others too: no node dies of it.
redis.call('HDEL', nodes, '')
local answer, dead, there = {}, {}, false
local all = redis.call('HGETALL', nodes)
for i = 1, #all, 2 do
  local lease = cmsgpack.unpack(all[i + 1])
  if lease[1] <= now then
    dead[#dead + 1] = all[i]
  elseif all[i] == node then
    there = true
  else
    answer[#answer + 1] = all[i]
    answer[#answer + 1] = lease[2]
  end
end
if what ~= 'resign' and (what == 'enroll' or there) then
  redis.call('HSET', nodes, node, cmsgpack.pack({now + tonumber(ARGV[4]), ARGV[3]}))
  answer[#answer + 1] = node
  answer[#answer + 1] = ARGV[3]
else
  dead[#dead + 1] = node
end
if #dead > 0 then
  redis.call('HDEL', nodes, unpack(dead))
end
return cmsgpack.pack((what ~= 'renew' or there) and answer or false)
