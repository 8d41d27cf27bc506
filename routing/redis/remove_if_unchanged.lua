-- Remove a member of a sorted set, unless its score has changed.
-- KEYS: the sorted set. ARGV: the member and its expected score.
-- Returns the number of removed members.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then
    return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
