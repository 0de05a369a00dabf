-- KEYS: base. ARGV: log, first position, last position, most bytes. {packed, ...}: the first of them, not always
-- all; false when the log is another one or shorter, or a checkpoint has taken some of them over.
local base, from, last = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local found = redis.call('HMGET', base .. ':meta', 'log', 'cp', 'cpsum', 'last')
local cp = tonumber(found[2] or 0)
if found[1] ~= ARGV[1] or from <= cp or last > tonumber(found[4]) then
  return cmsgpack.pack(false)
end
local before = sum_at(base, from - 1, cp, tonumber(found[3] or 0))
return cmsgpack.pack(read(base, from, last, before, tonumber(ARGV[4])))
