import { createHalfOpen } from '../controls/handshake/half-open.ts'
import type { Policy } from '../policy/types.ts'
import type { Runtime } from '../model/runtime.ts'
import { createLookupQueue, type LookupQueue } from '../session/lookup-queue.ts'
import { createProofs } from '../session/proofs.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { ControlContext } from '../controls/context.ts'

/** Most addresses whose refused Origins are counted at one time. */
const MOST_FOREIGN = 10_000

/** Adds what the controls of one guard share besides its store and its tickets. */
export function createControlContext(
  policy: Policy,
  given: Omit<ControlContext, 'now' | 'runtime' | 'lookups' | 'proofs' | 'halfOpen' | 'foreign'>,
  runtime: Runtime,
): ControlContext {
  const base = { ...given, now: runtime.now, runtime }
  return {
    ...base,
    lookups: createLookups(policy, runtime),
    proofs: createProofs(policy, base, runtime),
    halfOpen: createHalfOpen(),
    foreign: createMemoryStore({ maxKeys: MOST_FOREIGN }, runtime),
  }
}

/** Creates the queue of look-ups. A larger budget per address, or one for all addresses, applies to look-ups too. */
function createLookups({ handshake: { rate }, timeoutMs }: Policy, runtime: Runtime): LookupQueue {
  if (rate === null) return createLookupQueue({ lookMs: timeoutMs, runtime })
  const { perIp, total } = rate
  return createLookupQueue({
    lookMs: timeoutMs,
    runtime,
    perAddress: { perSecond: (perIp.amount * 1000) / perIp.perMs, burst: perIp.burst },
    strangers: { perSecond: (total.amount * 1000) / total.perMs, burst: total.burst },
  })
}
