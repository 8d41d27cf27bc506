-- Release a key's lock, if it has one that still holds this token, and look for a new mark.
-- KEYS: the mark, and the lock if there is one. ARGV: the lock's token.
-- Returns whether the mark is set, and whether the lock was still held, each as 1 or 0.
local is_held = 1
if KEYS[2] then
    if redis.call('GET', KEYS[2]) == ARGV[1] then
        redis.call('DEL', KEYS[2])
    else
        is_held = 0
    end
end
return {redis.call('EXISTS', KEYS[1]), is_held}
