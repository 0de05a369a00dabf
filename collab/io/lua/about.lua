-- KEYS: bases. For each {whether anything is stored, bytes, entries, changed, cpms, cp, {node, ...}}.
local answers = {}
for i, base in ipairs(KEYS) do
  local found = redis.call(
    'HMGET', base .. ':meta', 'last', 'bytes', 'changed', 'records', 'cp', 'cpsum', 'cpms', 'cpbytes', 'log')
  for j = 1, 8 do
    found[j] = tonumber(found[j] or 0)
  end
  local last, bytes, changed, records, cp, cpsum, cpms, cpbytes = unpack(found)
  answers[i] = {
    found[9] ~= false or records > 0, bytes - cpsum + cpbytes + records, last - cp, changed, cpms, cp, redis.call('SMEMBERS', base .. ':nodes'),
  }
end
return cmsgpack.pack(answers)
