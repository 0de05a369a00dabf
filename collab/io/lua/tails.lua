-- KEYS: bases. ARGV: most bytes of entries per base; then for each base {log, position, writer, number}.
-- For each base {same (1, 0, or -1 when it cannot be told), log, last, deleted, {packed, ...}}. The entries
-- are the first after the position, not always all.
local most = tonumber(ARGV[1])

local function tail(base, mark)
  local found = redis.call(
    'HMGET', base .. ':meta', 'log', 'last', 'writer', 'number', 'cp', 'cpwriter', 'cpnumber', 'cpsum')
  local log, last, cp = found[1] or '', tonumber(found[2] or 0), tonumber(found[5] or 0)
  if mark[1] ~= '' and mark[1] ~= log then
    return {0, log, last, is_gone(base, mark[1]), {}}
  end
  local position = mark[2]
  if position > last then
    return {0, log, last, false, {}}
  end
  if position < cp then
    return {-1, log, last, false, {}}
  end
  local writer, number, sum
  if position == 0 then
    writer, number, sum = '', 0, 0
  elseif position == cp then
    writer, number, sum = found[6], tonumber(found[7]), tonumber(found[8])
  elseif position == last then
    writer, number = found[3], tonumber(found[4])
  else
    local id = string.format('%d-0', position)
    local item = redis.call('XRANGE', base .. ':log', id, id)[1]
    if item then
      writer, number = unpack(cmsgpack.unpack(item[2][2]))
      sum = tonumber(item[2][4])
    end
  end
  if writer ~= mark[3] or number ~= mark[4] then
    return {0, log, last, false, {}}
  end
  return {1, log, last, false, position < last and read(base, position + 1, last, sum, most) or {}}
end

local answers = {}
for i, base in ipairs(KEYS) do
  answers[i] = tail(base, cmsgpack.unpack(ARGV[1 + i]))
end
return cmsgpack.pack(answers)
