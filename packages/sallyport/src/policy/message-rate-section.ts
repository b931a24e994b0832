import type { Budget } from '../model/store.ts'
import { readBudget } from '../shape/budget.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { entriesOf, openChild, readOff, refuse } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import { nearest } from '../shape/nearest.ts'
import { readChoice, readCount, readDuration, readSize } from '../shape/scalars.ts'
import { pathTo, show } from '../shape/shown.ts'
import type { MessageRatePolicy, Policy, SchemaMap } from '../model/policy.ts'

const KEYS = ['messages', 'per', 'burst', 'bytes', 'perUser', 'perIp', 'cost', 'exceed', 'dangerouslyOff']

/** What the budgets are measured against. */
export interface RateSurroundings {
  readonly connections: Policy['handshake']['connections']
  readonly messageBytes: number
  readonly types: SchemaMap | null
}

/** `message.rate`: messages and bytes a connection, and what all connections of a user and of an address share. */
export function readMessageRate(message: Fields, around: RateSurroundings): MessageRatePolicy | null {
  const section = openChild(message, 'rate', KEYS)
  const off = readOff(section, 'message/rate')
  const amount = readCount(section, 'messages', DEFAULTS.messages.amount)
  const perMs = readDuration(section, 'per', DEFAULTS.messages.perMs)
  const messages = Object.freeze({ amount, perMs, burst: readCount(section, 'burst', amount) })
  const perUser = readBudget(
    section,
    'perUser',
    'messages',
    times(messages, around.connections?.perUser ?? DEFAULTS.connectionsPerUser),
  )
  const perIp = readBudget(
    section,
    'perIp',
    'messages',
    times(messages, around.connections?.perIp ?? DEFAULTS.connectionsPerIp),
  )
  const rate: MessageRatePolicy = Object.freeze({
    messages,
    bytes: readBytes(section, perMs, around.messageBytes),
    perUser,
    perIp,
    cost: readCost(section, Math.min(messages.burst, perUser.burst, perIp.burst), around.types),
    exceed: readChoice(section, 'exceed', ['close', 'drop', 'delay'], 'close'),
  })
  return off ? null : rate
}

/** As many connections of a budget: what a peer gets by opening them all, and no more by opening them anew. */
function times({ amount, perMs, burst }: Budget, connections: number): Budget {
  return Object.freeze({ amount: amount * connections, perMs, burst: burst * connections })
}

function readBytes(section: Fields, perMs: number, messageBytes: number): Budget {
  const unsaid = section.get('bytes') === undefined
  if (unsaid) {
    // A policy that allows larger messages than the default budget means them to pass.
    const amount = Math.max(DEFAULTS.messageBytesBudget.amount, messageBytes)
    return Object.freeze({ amount, perMs: DEFAULTS.messageBytesBudget.perMs, burst: amount })
  }
  const amount = readSize(section, 'bytes', DEFAULTS.messageBytesBudget.amount)
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

function readCost(section: Fields, most: number, types: SchemaMap | null): MessageRatePolicy['cost'] {
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
