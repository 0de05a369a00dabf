-- KEYS: base. ARGV: token, milliseconds. Has the compaction's lock last so long from now on, if it is still this one;
-- 0 ends it.
if redis.call('GET', KEYS[1] .. ':lock') == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1] .. ':lock', ARGV[2])
end
return 1
