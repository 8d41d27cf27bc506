-- Set a key's mark. If it was not set, also append the key to a list, if there is one.
-- KEYS: the mark, and the list if there is one. ARGV: the mark's milliseconds, the key, the list's longest length.
-- Returns 1 if the mark was not set before, else 0.
if not redis.call('SET', KEYS[1], 1, 'NX', 'PX', ARGV[1]) then
    return 0
end
if KEYS[2] then
    redis.call('RPUSH', KEYS[2], ARGV[2])
    redis.call('LTRIM', KEYS[2], -ARGV[3], -1)
end
return 1
