-- Acquire a key's lock, if it has one, and clear the key's mark.
-- KEYS: the mark, and the lock if there is one. ARGV: the lock's token and its milliseconds.
-- Returns 0 if another run has the lock, else 1.
if KEYS[2] and not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return 0
end
redis.call('DEL', KEYS[1])
return 1
