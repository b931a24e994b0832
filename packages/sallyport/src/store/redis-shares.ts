import { batchesOf, type RedisNames } from './redis-names.ts'
import { type Ask, SHARE } from './redis-scripts.ts'
import type { ShareAsk, ShareGrant } from './shares.ts'

/** Tells Redis what was used of budgets, and asks for more; null for what got no answer. */
export async function settleShares(
  asks: readonly ShareAsk[],
  names: RedisNames,
  ask: Ask,
): Promise<readonly (ShareGrant | null)[]> {
  const grants: (ShareGrant | null)[] = Array.from({ length: asks.length }, () => null)
  const named = asks.map(({ key, owed, wanted, budget }, index) => ({
    owed,
    wanted,
    budget,
    index,
    name: names.of('b', key),
  }))
  await Promise.allSettled(
    batchesOf(named).map(async ({ part }) => {
      const keys = part.map(({ name }) => name.key)
      const args = part.flatMap(({ owed, wanted, budget }) => [owed, wanted, budget.amount, budget.perMs, budget.burst])
      const answer = (await ask(SHARE, keys, args)) as number[]
      for (const [nth, { index }] of part.entries()) {
        grants[index] = { granted: answer[nth * 2] ?? 0, retryAfterMs: answer[nth * 2 + 1] ?? 0 }
      }
    }),
  )
  return grants
}
