import type { RevocationTarget } from '../model/store.ts'
import type { RedisNames } from './redis-names.ts'
import { type Ask, TOLD } from './redis-scripts.ts'

/** Options of {@link createRedisNews}. */
export interface RedisNewsOptions {
  readonly names: RedisNames
  /** This node: its own news are not heard again. */
  readonly node: string
  readonly ask: Ask
  /** Called with what another node revoked. `isLate`: it travelled for so long that what began since is not meant. */
  readonly told: (
    news: { readonly target: RevocationTarget; readonly at: number; readonly ttlMs: number },
    isLate: boolean,
  ) => void
}

/** News of other nodes: each is heard once, and what was missed is fetched. */
export interface RedisNews {
  /** A publication arrived. */
  heard(message: string): void
  /** The epoch that Redis stands at: what was missed is fetched. `ask` may be the probe's. */
  catchUp(epoch: number, ask?: Ask): Promise<void>
  /** Redis may have forgotten epochs: what is in the log is heard again. */
  rewind(): void
}

const PAGE = 500
/** News older than this are late: what began since then is not meant. */
const LATE_MS = 1000

/** The news of one node. */
export function createRedisNews({ names, node, ask: askInTime, told }: RedisNewsOptions): RedisNews {
  /** Everything up to this epoch was heard; null before the first beat. */
  let seen: number | null = null
  /** Heard beyond a gap. */
  const beyond = new Set<number>()
  let fetching: Promise<void> | null = null

  /** `entry`: epoch, time, sealed news. */
  const apply = (entry: string, fetched: boolean): number => {
    const [, epochText = '0', time = '0', sealed = ''] = /^(\d+) (\d+) (\S+)$/.exec(entry) ?? []
    const epoch = Number(epochText)
    if (seen !== null && (epoch <= seen || beyond.has(epoch))) return epoch
    const news = names.open(sealed)
    if (news === null || news.from === node) return epoch
    told(news, fetched || Number(time) - news.at > LATE_MS)
    return epoch
  }

  const advance = (): void => {
    while (seen !== null && beyond.delete(seen + 1)) seen++
  }

  const fetchMissed = async (ask: Ask): Promise<void> => {
    for (;;) {
      const from: number = seen ?? 0
      const entries = (await ask(TOLD, [names.hub('log')], [from, PAGE])) as string[]
      let last = from
      for (const entry of entries) last = Math.max(last, apply(entry, true))
      seen = Math.max(seen ?? 0, last)
      for (const epoch of beyond) if (epoch <= seen) beyond.delete(epoch)
      advance()
      if (entries.length < PAGE) return
    }
  }

  const missed = (ask: Ask): Promise<void> => {
    fetching ??= fetchMissed(ask).finally(() => {
      fetching = null
    })
    return fetching
  }

  return {
    heard(message) {
      const epoch = apply(message, false)
      if (seen === null || epoch <= seen) return
      beyond.add(epoch)
      advance()
      if (beyond.size > 0) void missed(askInTime).catch(() => undefined)
    },
    async catchUp(epoch, ask = askInTime) {
      seen ??= epoch
      if (epoch > seen) await missed(ask)
    },
    rewind() {
      if (seen !== null) seen = 0
      beyond.clear()
    },
  }
}
