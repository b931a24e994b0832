import type { RedisKey, RedisNames } from './redis-names.ts'
import { createRedisNews, type RedisNews } from './redis-news.ts'
import { type Ask, MARK, MARKED, TELL } from './redis-scripts.ts'
import type { Revocation, RevocationTarget, Unsubscribe } from '../model/store.ts'

/** Options of {@link createRevocations}. */
export interface RevocationsOptions {
  readonly names: RedisNames
  readonly buckets: number
  /** This node, as news name it. */
  readonly node: string
  readonly ask: Ask
  /** How long news are kept for those who missed them, in ms. */
  readonly keepMs: number
  /** How long a look is good for within one handshake, in ms. */
  readonly recentMs: number
  readonly now: () => number
  /** Redis's clock less ours, in ms. */
  readonly offset: () => number
}

/** Marks that last, and news that travel. */
export interface Revocations extends RedisNews {
  revoke(target: RevocationTarget, ttlMs: number): Promise<void>
  revokedAt(session: string, user: string): Promise<Revocation | null>
  onRevoked(listener: (target: RevocationTarget, at?: number) => void): Unsubscribe
  /** Marks again what this node knows. */
  restore(ask: Ask): Promise<void>
  /** Tells what it could not tell. */
  tellPending(ask: Ask): Promise<void>
  close(): void
}

interface Known {
  readonly target: RevocationTarget
  at: number
  /** Ms since the epoch, by our clock. */
  until: number
}

const MOST_KNOWN = 10_000
const MOST_RECENT = 10_000

/** Revocations over Redis: the mark first, so that nobody enters; then the news, so that those who are in leave. */
export function createRevocations(options: RevocationsOptions): Revocations {
  const { names, buckets, node, ask: askInTime, keepMs, recentMs, now, offset } = options
  const listeners = new Set<{ readonly call: (target: RevocationTarget, at?: number) => void }>()
  /** Revocations that this node knows, the newest last. */
  const known = new Map<string, Known>()
  /** Not told yet: Redis was away. */
  const pending = new Map<string, Known>()
  const recent = new Map<string, { readonly at: number; readonly answer: Promise<Revocation | null> }>()
  let telling = false

  const marksOf = (target: RevocationTarget): readonly RedisKey[] =>
    target === 'all'
      ? Array.from({ length: buckets }, (_, bucket) => ({ bucket, key: names.inBucket(bucket, 'all') }))
      : [names.of('r', textOf(target))]

  const tellListeners = (target: RevocationTarget, at?: number): unknown[] => {
    recent.clear()
    const failures: unknown[] = []
    for (const listener of listeners) {
      try {
        if (at === undefined) listener.call(target)
        else listener.call(target, at)
      } catch (error) {
        failures.push(error)
      }
    }
    return failures
  }

  const write = async (entry: Known, ask: Ask): Promise<void> => {
    const ttlMs = Math.max(1, Math.round(entry.until - now()))
    const times = await Promise.all(marksOf(entry.target).map(mark => ask(MARK, [mark.key], [ttlMs, entry.at])))
    const at = Math.max(...(times as [number][]).map(([time]) => time))
    entry.at = at
    await ask(
      TELL,
      [names.hub('epoch'), names.hub('log')],
      [names.seal({ from: node, target: entry.target, at, ttlMs }), keepMs, names.channel],
    )
  }

  const news = createRedisNews({
    names,
    node,
    ask: askInTime,
    told({ target, at, ttlMs }, isLate) {
      // Whoever heard it can mark it again, should Redis forget: also when the node that revoked is gone.
      remember(known, { target, at, until: at - offset() + ttlMs })
      tellListeners(target, isLate ? at - offset() : undefined)
    },
  })

  const look = async (session: string, user: string): Promise<Revocation | null> => {
    const marks = [names.of('r', `session\0${session}`), names.of('r', `user\0${user}`)]
    const answers = (await Promise.all(
      marks.map(({ bucket, key }) => askInTime(MARKED, [key, names.inBucket(bucket, 'all')], [])),
    )) as [[number, number], [number, number]]
    const [[ofSession, all], [ofUser, allToo]] = answers
    const latest = Math.max(ofUser, all, allToo)
    if (ofSession < 0 && latest < 0) return null
    return { session: ofSession < 0 ? null : ofSession - offset(), user: latest < 0 ? null : latest - offset() }
  }

  return {
    ...news,
    async revoke(target, ttlMs) {
      const entry: Known = { target, at: -1, until: now() + ttlMs }
      // Open connections here end at once, whatever becomes of Redis.
      const failures = tellListeners(target)
      try {
        await write(entry, askInTime)
      } catch (error) {
        entry.at = Math.max(entry.at, Math.round(now() + offset()))
        remember(pending, entry)
        throw error
      } finally {
        remember(known, entry)
        // Somebody may have looked meanwhile.
        recent.clear()
      }
      if (failures.length > 0) throw new AggregateError(failures, 'a listener of a revocation failed')
    },
    revokedAt(session, user) {
      const key = `${session.length} ${session} ${user}`
      const at = now()
      const looked = recent.get(key)
      if (looked && at - looked.at >= 0 && at - looked.at < recentMs) return looked.answer
      const answer = look(session, user)
      if (recent.size >= MOST_RECENT) recent.clear()
      const entry = { at, answer }
      recent.set(key, entry)
      answer.catch(() => {
        if (recent.get(key) === entry) recent.delete(key)
      })
      return answer
    },
    onRevoked(call) {
      const entry = { call }
      listeners.add(entry)
      return () => {
        listeners.delete(entry)
      }
    },
    async restore(ask) {
      const at = now()
      const marks: { readonly mark: RedisKey; readonly entry: Known }[] = []
      for (const [text, entry] of known) {
        if (entry.until <= at) known.delete(text)
        else for (const mark of marksOf(entry.target)) marks.push({ mark, entry })
      }
      const byBucket = Map.groupBy(marks, ({ mark }) => mark.bucket)
      for (const of of byBucket.values()) {
        for (let from = 0; from < of.length; from += 100) {
          const part = of.slice(from, from + 100)
          await ask(
            MARK,
            part.map(({ mark }) => mark.key),
            part.flatMap(({ entry }) => [Math.max(1, Math.round(entry.until - at)), entry.at]),
          )
        }
      }
    },
    async tellPending(ask) {
      if (telling) return
      telling = true
      try {
        for (const [text, entry] of pending) {
          if (entry.until > now()) await write(entry, ask)
          pending.delete(text)
        }
      } finally {
        telling = false
      }
    },
    close() {
      listeners.clear()
      recent.clear()
      known.clear()
      pending.clear()
    },
  }
}

/** Keeps the later end of two, as the newest entry; the oldest gives way. */
function remember(map: Map<string, Known>, entry: Known): void {
  const text = textOf(entry.target)
  const before = map.get(text)
  map.delete(text)
  map.set(text, before && before.until > entry.until ? { ...entry, until: before.until } : entry)
  if (map.size > MOST_KNOWN) map.delete(map.keys().next().value!)
}

function textOf(target: RevocationTarget): string {
  if (target === 'all') return 'all'
  return 'session' in target ? `session\0${target.session}` : `user\0${target.user}`
}
