import type { SchemaMap } from '../../model/schema-kinds.ts'
import type { Budget } from '../../model/store.ts'
import { entriesOf, type Fields, refuse } from '../../shape/fields.ts'
import { nearest } from '../../shape/nearest.ts'
import { readSize } from '../../shape/scalars.ts'
import { pathTo, show } from '../../shape/shown.ts'
import type { MessageRateSection } from './rate-budgets.ts'

/** Default byte budget of one connection: 100 messages of 40 KiB a minute. */
export const BYTES: Budget = Object.freeze({ amount: 4 * 1024 * 1024, perMs: 60_000, burst: 4 * 1024 * 1024 })

/**
 * A budget multiplied by a number of connections. A peer that opens all its connections gets this much, and
 * reconnecting gives no more.
 */
export function times({ amount, perMs, burst }: Budget, connections: number): Budget {
  return Object.freeze({ amount: amount * connections, perMs, burst: burst * connections })
}

/** `message.rate.bytes`. It must not be less than the largest message. */
export function readBytes(section: Fields, perMs: number, messageBytes: number): Budget {
  const unsaid = section.get('bytes') === undefined
  if (unsaid) {
    // If a policy allows larger messages than the default budget, they are meant to pass.
    const amount = Math.max(BYTES.amount, messageBytes)
    return Object.freeze({ amount, perMs: BYTES.perMs, burst: amount })
  }
  const amount = readSize(section, 'bytes', BYTES.amount)
  if (amount < messageBytes) {
    refuse(
      section,
      'bytes',
      show(section.get('bytes')),
      `less than message.size.bytes (${messageBytes}): the largest message could never pass`,
      'raise it, or lower message.size.bytes',
    )
  }
  return Object.freeze({ amount, perMs, burst: amount })
}

/** `message.rate.cost`: the cost by type. No cost may exceed a whole budget. */
export function readCost(section: Fields, most: number, types: SchemaMap | null): MessageRateSection['cost'] {
  const path = pathTo(section.path, 'cost')
  const at: Fields = { ...section, path }
  const costs: { [type: string]: number } = Object.create(null)
  for (const [type, cost] of entriesOf(section.get('cost'), path, section.findings)) {
    if (type === '__proto__' || (types !== null && !(type in types))) {
      const near = nearest(type, Object.keys(types ?? {}))
      refuse(
        at,
        type,
        show(cost),
        'no type of message.schema',
        near === undefined ? 'write the name of a declared type' : `did you mean \`${near}\`?`,
        near,
      )
    } else if (typeof cost !== 'number' || !(cost > 0) || !Number.isFinite(cost)) {
      refuse(at, type, show(cost), 'a cost is a positive number', `write ${type}: 5, without quotes`)
    } else if (cost > most) {
      refuse(
        at,
        type,
        show(cost),
        `more than a whole budget (${most}): the message could never pass`,
        `write ${most} or less`,
      )
    } else {
      costs[type] = cost
    }
  }
  return Object.freeze(costs)
}
