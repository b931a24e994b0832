import { createHash } from 'node:crypto'

/** A Lua script and the name that Redis knows it by once it is loaded. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

/** Runs a script in time, or rejects. */
export type Ask = (script: Script, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>

const script = (lua: string): Script => {
  const text = lua.replaceAll(/^ {4}/gm, '').trim()
  return Object.freeze({ lua: text, sha: createHash('sha1').update(text).digest('hex') })
}

/*
 * All scripts go by Redis's own clock, in ms. Numbers are written by string.format: tostring() of a time is 1.7e+12.
 * They run on Redis 6.2 and later and on Valkey, and each touches keys of one hash tag alone.
 */
const NOW = `
    local t = redis.call('TIME')
    local now = t[1] * 1000 + math.floor(t[2] / 1000)
    local function text(n) return string.format('%.0f', n) end`

/*
 * The line of a dataset: the replication id of the server that answers, and since when it is known here. Another id
 * means that a restart or a failover lies between, and with it writes that may be lost; no line at all means that the
 * keys were. Each bucket of keys has its own, since buckets may live on different servers. Where INFO names no id a
 * failover could not be noticed: everything that relies on it is refused.
 */
const LINE = `${NOW}
    local function line(key)
      local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
      if not id then error({err = 'NOREPLID INFO names no master_replid'}) end
      local known = redis.call('GET', key)
      if known and string.sub(known, 1, #id + 1) == id .. ':' then return known end
      known = id .. ':' .. text(now)
      redis.call('SET', key, known)
      return known
    end
    local function since(known) return tonumber(string.match(known, ':(%d+)$')) end`

/** The line of a bucket. KEYS: line. */
export const PROBE: Script = script(`${LINE}
    return line(KEYS[1])`)

/** Takes from a budget (GCRA). KEYS: budget. ARGV: cost, amount, perMs, burst. Answers {taken, retry after ms}. */
export const TAKE: Script = script(`${NOW}
    local cost, amount, per, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
    local debt, at = 0, now
    local known = redis.call('GET', KEYS[1])
    if known then
      local d, a = string.match(known, '^(%S+) (%S+)$')
      debt, at = tonumber(d), tonumber(a)
    end
    debt = math.max(0, debt - math.max(0, now - at) * amount / per)
    local ok = debt + cost <= burst + 1e-9
    if ok then debt = debt + cost end
    if debt > 0 and (ok or now < at) then
      redis.call('SET', KEYS[1], string.format('%.17g %.0f', debt, now), 'PX', text(math.ceil(debt * per / amount) + 1))
    end
    if ok then return {1, 0} end
    return {0, math.ceil((debt + cost - burst) * per / amount)}`)

/**
 * Settles local shares of budgets. KEYS: budgets. ARGV for each: owed, wanted, amount, perMs, burst. What is owed was
 * spent and is taken whatever is there; of what is wanted as much is granted as there is. Answers {granted, retry after ms} for each.
 */
export const SHARE: Script = script(`${NOW}
    local answer = {}
    for i, key in ipairs(KEYS) do
      local n = (i - 1) * 5
      local owed, wanted = tonumber(ARGV[n + 1]), tonumber(ARGV[n + 2])
      local amount, per, burst = tonumber(ARGV[n + 3]), tonumber(ARGV[n + 4]), tonumber(ARGV[n + 5])
      local debt, at = 0, now
      local known = redis.call('GET', key)
      if known then
        local d, a = string.match(known, '^(%S+) (%S+)$')
        debt, at = tonumber(d), tonumber(a)
      end
      debt = math.max(0, debt - math.max(0, now - at) * amount / per) + owed
      local granted = math.max(0, math.min(wanted, math.floor(burst - debt + 1e-9)))
      debt = debt + granted
      if debt > 0 then
        redis.call('SET', key, string.format('%.17g %.0f', debt, now), 'PX', text(math.ceil(debt * per / amount) + 1))
      end
      answer[#answer + 1] = granted
      answer[#answer + 1] = granted < wanted and math.max(1, math.ceil((debt + 1 - burst) * per / amount)) or 0
    end
    return answer`)

/**
 * Single use. KEYS: use, line. ARGV: ttl, born (ms of Redis's clock; -1 for unknown), skew. Answers 1 for the first use, 0
 * for a later one, -1 where a use since its birth may be lost with what the server lost.
 */
export const ONCE: Script = script(`${LINE}
    local born = tonumber(ARGV[2])
    if born >= 0 and born <= since(line(KEYS[2])) + tonumber(ARGV[3]) then return -1 end
    if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then return 1 end
    return 0`)

/**
 * Counts one more place of a node under a cap. KEYS: counts by node, line. ARGV: node, its places with this one, cap,
 * sequence, ttl of the key, the line as the node knows it ('' for not yet). Answers {1, line}, {0, line, the other nodes
 * that hold places…} or {-1, line} where the line is another: places may be forgotten.
 */
export const LEASE: Script = script(`${LINE}
    local now_line = line(KEYS[2])
    if ARGV[6] ~= '' and ARGV[6] ~= now_line then return {-1, now_line} end
    local answer = {0, now_line}
    local others, newer = 0, false
    local all = redis.call('HGETALL', KEYS[1])
    for i = 1, #all, 2 do
      local sequence, places = string.match(all[i + 1], '^(%d+) (%d+)$')
      if all[i] == ARGV[1] then
        newer = tonumber(sequence) > tonumber(ARGV[4])
      else
        others = others + tonumber(places)
        answer[#answer + 1] = all[i]
      end
    end
    if others + tonumber(ARGV[2]) > tonumber(ARGV[3]) then return answer end
    if not newer then redis.call('HSET', KEYS[1], ARGV[1], ARGV[4] .. ' ' .. ARGV[2]) end
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    return {1, now_line}`)

/**
 * Writes how many places a node holds, whatever the cap: they are held. KEYS: counts…, line. ARGV: node, ttl of the keys,
 * then places and sequence for each. Answers the line.
 */
export const COUNT: Script = script(`${LINE}
    for i = 1, #KEYS - 1 do
      local places, sequence = ARGV[1 + i * 2], ARGV[2 + i * 2]
      local known = redis.call('HGET', KEYS[i], ARGV[1])
      if not known or tonumber(string.match(known, '^(%d+)')) <= tonumber(sequence) then
        if places == '0' then
          redis.call('HDEL', KEYS[i], ARGV[1])
        else
          redis.call('HSET', KEYS[i], ARGV[1], sequence .. ' ' .. places)
          redis.call('PEXPIRE', KEYS[i], ARGV[2])
        end
      elseif places ~= '0' then
        redis.call('PEXPIRE', KEYS[i], ARGV[2])
      end
    end
    return line(KEYS[#KEYS])`)

/** Drops the places of dead nodes. KEYS: counts. ARGV: nodes. */
export const PURGE: Script = script(`
    return redis.call('HDEL', KEYS[1], unpack(ARGV))`)

/**
 * A node says that it lives. KEYS: nodes (a sorted set by the end of their time), epoch, line. ARGV: node, ttl, 1 to
 * register. Answers {alive, now, line, epoch, the nodes that live…}; alive is 0 for a node whose time had ended, or that
 * the server does not know: it must come back under another name.
 */
export const BEAT: Script = script(`${LINE}
    local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
    local alive = ARGV[3] == '1' or (ends and tonumber(ends) >= now)
    if alive then redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[2])), ARGV[1]) end
    local answer = {alive and 1 or 0, now, line(KEYS[3]), tonumber(redis.call('GET', KEYS[2]) or '0')}
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. text(now))
    for _, node in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do answer[#answer + 1] = node end
    return answer`)

/**
 * Which of some nodes are dead. KEYS: nodes, line. ARGV: ttl of a node, then nodes. After a loss nobody is dead until
 * everybody had time to come back.
 */
export const DEAD: Script = script(`${LINE}
    local answer = {}
    local settled = now > since(line(KEYS[2])) + tonumber(ARGV[1])
    for i = 2, #ARGV do
      local ends = redis.call('ZSCORE', KEYS[1], ARGV[i])
      if (ends and tonumber(ends) < now) or (not ends and settled) then answer[#answer + 1] = ARGV[i] end
    end
    return answer`)

/** A node leaves. KEYS: nodes. ARGV: node. */
export const LEAVE: Script = script(`
    return redis.call('ZREM', KEYS[1], ARGV[1])`)

/** Remembers a text. KEYS: text. ARGV: the text, ttl. */
export const REMEMBER: Script = script(`
    return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])`)

/** What is remembered, or nil. KEYS: text. */
export const RECALL: Script = script(`
    return redis.call('GET', KEYS[1])`)

/** Forgets a text. KEYS: text. */
export const FORGET: Script = script(`
    return redis.call('DEL', KEYS[1])`)

/** Marks as revoked, later and longer only. KEYS: marks. ARGV for each: ttl, time (-1 for now). Answers the times. */
export const MARK: Script = script(`${NOW}
    local answer = {}
    for i, key in ipairs(KEYS) do
      local ttl, at = tonumber(ARGV[i * 2 - 1]), tonumber(ARGV[i * 2])
      if at < 0 then at = now end
      local known = redis.call('GET', key)
      if known then
        at = math.max(at, tonumber(known))
        ttl = math.max(ttl, redis.call('PTTL', key))
      end
      redis.call('SET', key, text(at), 'PX', text(ttl))
      answer[#answer + 1] = at
    end
    return answer`)

/** When something was revoked. KEYS: mark, mark of everybody. Answers two times; -1 for never. */
export const MARKED: Script = script(`
    return {tonumber(redis.call('GET', KEYS[1]) or '-1'), tonumber(redis.call('GET', KEYS[2]) or '-1')}`)

/**
 * Counts the epoch on, keeps the news for those who miss it, and publishes it. KEYS: epoch, log. ARGV: news, how long it
 * is kept in ms, channel. Answers the epoch.
 */
export const TELL: Script = script(`${NOW}
    local epoch = redis.call('INCR', KEYS[1])
    redis.call('ZADD', KEYS[2], epoch, text(epoch) .. ' ' .. text(now) .. ' ' .. ARGV[1])
    for _, entry in ipairs(redis.call('ZRANGE', KEYS[2], 0, 9)) do
      if tonumber(string.match(entry, '^%d+ (%d+)')) + tonumber(ARGV[2]) >= now then break end
      redis.call('ZREM', KEYS[2], entry)
    end
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
    redis.call('PUBLISH', ARGV[3], text(epoch) .. ' ' .. text(now) .. ' ' .. ARGV[1])
    return epoch`)

/** What was told since an epoch, the oldest first. KEYS: log. ARGV: epoch, most. */
export const TOLD: Script = script(`
    return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])`)
