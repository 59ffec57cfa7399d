"""What the Redis meter does in one step: Lua scripts, which Redis runs one at a time.

Three keys for each gateway key, with its id in braces so that a cluster keeps them together:

    dragoman:{ID}:account   hash    requests, tokens: the buckets' levels; requests_at, tokens_at:
                                    when they were filled; held; PERIOD:BEGIN: what was spent
    dragoman:{ID}:holds     hash    hold -> its cost, until it is settled
    dragoman:{ID}:leases    sorted  hold -> when its lease runs out; when it has, the moment at
                                    which that was noticed, negative

A hold whose lease has run out counts as nothing, and can still be settled for a day. All scripts
may be sent twice with the same effect as once. Lua's numbers are doubles: whole nanodollars are
exact up to nine million dollars.
"""

FIRST_BUDGET = 9
"""The number of the argument of `RESERVE` at which the budgets begin; Lua counts from one."""

RESERVE = """
local account, holds, leases = KEYS[1], KEYS[2], KEYS[3]
local now, hold, lease = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local concurrency, cost = tonumber(ARGV[4]), tonumber(ARGV[5])
local buckets = {
    {name = 'requests', limit = tonumber(ARGV[6]), take = 1},
    {name = 'tokens', limit = tonumber(ARGV[7]), take = tonumber(ARGV[8])},
}
local day = 86400000

local held = tonumber(redis.call('HGET', account, 'held') or 0)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', leases, 0, now)) do
    held = held - tonumber(redis.call('HGET', holds, dead) or 0)
    redis.call('ZADD', leases, -now, dead)
end
for _, forgotten in ipairs(redis.call('ZRANGEBYSCORE', leases, '(' .. day - now, '(0')) do
    redis.call('HDEL', holds, forgotten)
    redis.call('ZREM', leases, forgotten)
end
for _, bucket in ipairs(buckets) do
    local level = tonumber(redis.call('HGET', account, bucket.name) or bucket.limit)
    local at = tonumber(redis.call('HGET', account, bucket.name .. '_at') or now)
    level = level + math.max(0, now - at) * bucket.limit / 60000
    bucket.level = math.min(bucket.limit, level)
    bucket.at = math.max(now, at)
end

local function answer(reason, argument)
    redis.call('HSET', account, 'held', string.format('%.0f', held))
    local said = {reason, argument}
    for _, bucket in ipairs(buckets) do
        local level = string.format('%.6f', bucket.level)
        if bucket.limit > 0 then
            local at = string.format('%.0f', bucket.at)
            redis.call('HSET', account, bucket.name, level, bucket.name .. '_at', at)
        end
        said[#said + 1] = level
    end
    for _, key in ipairs(KEYS) do
        redis.call('PEXPIRE', key, day)
    end
    return said
end

if redis.call('HEXISTS', holds, hold) == 1 then
    return answer('granted', 0)
end
if concurrency > 0 and redis.call('ZCOUNT', leases, 0, '+inf') >= concurrency then
    return answer('concurrency', 0)
end
for _, bucket in ipairs(buckets) do
    if bucket.limit > 0 and bucket.level < 1 then
        return answer(bucket.name, 0)
    end
end
for at = 9, #ARGV, 2 do
    local spent = redis.call('HGET', account, ARGV[at])
    if not spent then
        return answer('unknown', at)
    end
    if tonumber(spent) >= tonumber(ARGV[at + 1]) then
        return answer('spent', at)
    end
    if tonumber(spent) + held >= tonumber(ARGV[at + 1]) then
        return answer('held', at)
    end
end

for _, bucket in ipairs(buckets) do
    bucket.level = bucket.level - bucket.take
end
held = held + cost
redis.call('HSET', holds, hold, string.format('%.0f', cost))
redis.call('ZADD', leases, now + lease, hold)
return answer('granted', 0)
"""
"""Sets aside what one request demands, or says why not.

Arguments: now, the hold, its lease, the limit of requests at once, its cost, the limits of
requests and tokens, its tokens, then field and amount of each budget; a limit of 0 is none.
Answers the reason, the argument that it is about, and the levels of both buckets.
"""

SETTLE = """
local account, holds, leases = KEYS[1], KEYS[2], KEYS[3]
local hold, cost, returned, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HGET', holds, hold)
if not kept then
    return
end
if tonumber(redis.call('ZSCORE', leases, hold) or -1) >= 0 then
    local held = tonumber(redis.call('HGET', account, 'held') or 0) - tonumber(kept)
    redis.call('HSET', account, 'held', string.format('%.0f', held))
end
redis.call('HDEL', holds, hold)
redis.call('ZREM', leases, hold)
for at = 5, #ARGV do
    if redis.call('HEXISTS', account, ARGV[at]) == 1 then
        redis.call('HINCRBY', account, ARGV[at], cost)
    end
end
local level = redis.call('HGET', account, 'tokens')
if limit > 0 and level then
    level = math.min(limit, tonumber(level) + returned)
    redis.call('HSET', account, 'tokens', string.format('%.6f', level))
end
"""
"""Replaces what a hold has set aside by what was used, unless that was done before.

Arguments: the hold, its real cost, how many of its tokens come back (negative where more were
used), the limit of tokens, then the field of each budget. A budget that is not counted yet will
begin with what the database says, so it is left alone.
"""

RENEW = """
for at = 2, #ARGV do
    if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[at]) or -1) >= 0 then
        redis.call('ZADD', KEYS[1], ARGV[1], ARGV[at])
    end
end
"""
"""Makes leases last until the moment of the first argument; the others are holds. What has run out
stays so."""

BEGIN = """
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then
    local period = string.match(ARGV[1], '^%a+:')
    for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
        if string.sub(field, 1, #period) == period
            and tonumber(string.sub(field, #period + 1)) < tonumber(ARGV[3]) then
            redis.call('HDEL', KEYS[1], field)
        end
    end
end
"""
"""Begins a period with what was spent in it before, unless somebody was quicker, and forgets those
that are over. Arguments: the field, the amount, the beginning."""
