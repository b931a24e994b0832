import { createHalfOpen } from '../controls/handshake/half-open.ts'
import type { Policy } from '../model/policy.ts'
import { createLookupQueue, type LookupQueue } from '../session/lookup-queue.ts'
import { createProofs } from '../session/proofs.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { ControlContext } from '../controls/context.ts'

/** Addresses whose refused Origins are counted at one time. */
const MOST_FOREIGN = 10_000

/** Adds what the controls of one guard share beside its store and tickets. */
export function createParts(
  policy: Policy,
  base: Omit<ControlContext, 'lookups' | 'proofs' | 'halfOpen' | 'foreign'>,
): ControlContext {
  return {
    ...base,
    lookups: createLookups(policy),
    proofs: createProofs(policy, base),
    halfOpen: createHalfOpen(),
    foreign: createMemoryStore({ maxKeys: MOST_FOREIGN, now: base.now }),
  }
}

/** The queue of look-ups. Whoever raises the budget of an address, or sets one for all, means the look-ups too. */
function createLookups({ handshake: { rate }, timeoutMs }: Policy): LookupQueue {
  if (rate === null) return createLookupQueue({ lookMs: timeoutMs })
  const { perIp, total } = rate
  return createLookupQueue({
    lookMs: timeoutMs,
    perAddress: { perSecond: (perIp.amount * 1000) / perIp.perMs, burst: perIp.burst },
    strangers: { perSecond: (total.amount * 1000) / total.perMs, burst: total.burst },
  })
}
