import type { RedisNames } from './redis-names.ts'
import { type Ask, FORGET, RECALL, REMEMBER } from './redis-scripts.ts'
import type { Store } from '../model/store.ts'

/** The part of the store that remembers texts in Redis, sealed under the store's secret. */
export function rememberIn(
  names: RedisNames,
  ask: Ask,
  assertOpen: (ttlMs?: number) => void,
): Required<Pick<Store, 'remember' | 'recall' | 'forget'>> {
  const nameOf = (key: string): string => names.of('t', key).key
  return {
    async remember(key, value, ttlMs) {
      assertOpen(ttlMs)
      const name = nameOf(key)
      await ask(REMEMBER, [name], [names.sealText(name, value), Math.ceil(ttlMs)])
    },
    async recall(key) {
      assertOpen()
      const name = nameOf(key)
      const sealed = await ask(RECALL, [name], [])
      return typeof sealed === 'string' ? names.openText(name, sealed) : null
    },
    async forget(key) {
      assertOpen()
      await ask(FORGET, [nameOf(key)], [])
    },
  }
}
