-- KEYS: base. ARGV: most bytes of entries, writer. {log, last, writer, number, cp, cpid, cppieces, cpsize, cpcrc, first
-- piece of the checkpoint, {packed, ...}, last number of the writer}: the first entries after the checkpoint,
-- not always all.
local base = KEYS[1]
local found = redis.call(
  'HMGET', base .. ':meta', 'log', 'last', 'writer', 'number', 'cp', 'cpid', 'cppieces', 'cpsize', 'cpcrc',
  'cpsum')
if not found[1] then
  return cmsgpack.pack({'', 0, '', 0, 0, '', 0, 0, 0, '', {}, 0})
end
local last, cp = tonumber(found[2]), tonumber(found[5] or 0)
local piece = cp > 0 and redis.call('HGET', base .. ':checkpoint:' .. found[6], '0') or ''
return cmsgpack.pack({
  found[1], last, found[3] or '', tonumber(found[4] or 0), cp, found[6] or '', tonumber(found[7] or 0),
  tonumber(found[8] or 0), tonumber(found[9] or 0), piece or '',
  read(base, cp + 1, last, tonumber(found[10] or 0), tonumber(ARGV[1])), known_of(base, ARGV[2]),
})
