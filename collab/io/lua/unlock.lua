-- KEYS: base. ARGV: token. Ends the compaction's lock, if it is still this one.
if redis.call('GET', KEYS[1] .. ':lock') == ARGV[1] then
  redis.call('DEL', KEYS[1] .. ':lock')
end
return 1
