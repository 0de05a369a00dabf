-- KEYS: base. ARGV: writer, sharded, index of rooms or '', identity for a log that begins or is renamed, and
-- {log that was seen, position, writer, number, rename, through, {number, ms, size, packed, ...}}. Answers as
-- commit.lua does for a base.
local base, writer = KEYS[1], ARGV[1]
local seen, position, by, which, rename, through, given = unpack(cmsgpack.unpack(ARGV[5]))
local how = {sharded = ARGV[2] == '1', index = ARGV[3], fresh = ARGV[4], now = milliseconds()}
local room = room_of(base)
if is_gone(base, seen) then
  return cmsgpack.pack({'deleted', room.log, peers_of(base, writer)})
end
if room.log ~= seen or not shows(base, room, position, by, which) then
  return cmsgpack.pack({'behind', room.log, peers_of(base, writer)})
end
if rename and room.log ~= '' then
  room.log = how.fresh
  how.renamed = true
end
local known = math.max(known_of(base, writer), through)
local entries, numbers = {}, {}
for i = 1, #given, 4 do
  entries[#entries + 1] = {given[i], given[i + 1], given[i + 2], given[i + 3]}
  numbers[#entries] = given[i]
  known = math.max(known, given[i])
end
local first, peers = add(base, room, writer, known, entries, how)
return cmsgpack.pack({'stored', room.log, #entries > 0 and first or 0, #entries, peers, {}, numbers})
