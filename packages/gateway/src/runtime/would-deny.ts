import type { SallyEvent } from 'sallyport'

/** What report mode let pass that the policy would deny. */
export interface WouldDeny {
  readonly route: string
  readonly control: string
  readonly code: string
  readonly count: number
  /** ISO 8601. */
  readonly first: string
  readonly last: string
  /** The key of the policy that would let it pass; null where nothing of the policy would, or nothing should. */
  readonly key: string | null
  /** The exact values to write there, most frequent first: at most 32 of them. */
  readonly values: readonly { readonly value: string; readonly count: number }[]
  /** Values beyond those are counted here alone. */
  readonly others: number
  readonly remedy: string
}

/** Counts what would have been denied, until it is read. Bounded by routes × codes × 32. */
export interface WouldDenyCounts {
  note(route: string, event: SallyEvent): void
  list(): readonly WouldDeny[]
}

const MOST_VALUES = 32
const MOST_ROWS = 4096

/**
 * Where the value to allow stands: the key of the policy, and what of the event it is. Not everything has one: to trust
 * whoever came without TLS as a proxy would be to let them choose their address.
 */
const ALLOW: { readonly [code: string]: readonly [key: string, value: (event: SallyEvent) => string | undefined] } = {
  SALLY_ORIGIN_NOT_ALLOWED: ['handshake.origin.allow', ({ origin }) => origin],
  SALLY_ORIGIN_MISSING: ['handshake.origin.dangerouslyAllowMissing', () => 'true'],
  SALLY_HOST_NOT_SERVED: ['handshake.host.allow', ({ hostname }) => hostname],
  SALLY_REQUEST_TOO_LARGE: ['handshake.request', ({ detail }) => detail],
  SALLY_SUBPROTOCOL_NOT_SERVED: ['handshake.subprotocol.serve', ({ detail }) => detail],
  SALLY_HANDSHAKE_RATE: ['handshake.rate.perIp', ({ source_ip }) => source_ip],
  SALLY_CONNECTIONS_FULL: ['handshake.connections.total', ({ detail }) => detail],
  SALLY_CONNECTIONS_IP: ['handshake.connections.perIp', ({ source_ip }) => source_ip],
  SALLY_CONNECTIONS_USER: ['handshake.connections.perUser', ({ user }) => user],
  SALLY_TICKET_MISSING: ['handshake.ticket', ({ origin }) => origin],
  SALLY_MESSAGE_TOO_BIG: ['message.size.bytes', ({ detail }) => detail],
  SALLY_MESSAGE_FRAGMENTS: ['message.size.fragments', ({ detail }) => detail],
  SALLY_MESSAGE_RATE: ['message.rate.messages', ({ detail }) => detail],
  SALLY_MESSAGE_RATE_SHARED: ['message.rate.perUser', ({ detail }) => detail],
  SALLY_MESSAGE_NOT_TEXT: ['message.format.data', ({ detail }) => detail],
  SALLY_MESSAGE_SHAPE: ['message.format.depth', ({ detail }) => detail],
  SALLY_MESSAGE_NUMBER: ['message.format.bigIntegers', ({ detail }) => detail],
  SALLY_MESSAGE_KEY: ['message.format.dangerouslyAllowKeys', ({ detail }) => detail],
  SALLY_MESSAGE_TYPE: ['message.schema', ({ detail }) => detail],
  SALLY_MESSAGE_INVALID: ['message.schema', ({ detail }) => detail],
  SALLY_OUTBOUND_INVALID: ['message.outbound', ({ detail }) => detail],
  SALLY_IDLE: ['lifetime.idle.after', ({ detail }) => detail],
  SALLY_AGE: ['lifetime.age.max', ({ detail }) => detail],
  SALLY_HEARTBEAT_LOST: ['lifetime.heartbeat.timeout', ({ detail }) => detail],
  SALLY_BACKPRESSURE: ['lifetime.backpressure.bytes', ({ detail }) => detail],
}

interface Row {
  route: string
  control: string
  code: string
  count: number
  first: string
  last: string
  values: Map<string, number>
  others: number
  remedy: string
}

/** Counts of a gateway. */
export function createWouldDeny(): WouldDenyCounts {
  const rows = new Map<string, Row>()
  return {
    note(route, event) {
      const { control, code, datetime, remedy } = event
      if (control === undefined || code === undefined) return
      const key = `${route} ${control} ${code}`
      let row = rows.get(key)
      if (row === undefined) {
        if (rows.size >= MOST_ROWS) return
        row = {
          route,
          control,
          code,
          count: 0,
          first: datetime,
          last: datetime,
          values: new Map(),
          others: 0,
          remedy: remedy ?? '',
        }
        rows.set(key, row)
      }
      row.count++
      row.last = datetime
      const value = ALLOW[code]?.[1](event)
      if (value === undefined) return
      const known = row.values.get(value)
      if (known !== undefined || row.values.size < MOST_VALUES) row.values.set(value, (known ?? 0) + 1)
      else row.others++
    },
    list: () =>
      [...rows.values()]
        .toSorted((a, b) => b.count - a.count)
        .map(({ route, control, code, count, first, last, others, remedy, values }) => ({
          route,
          control,
          code,
          count,
          first,
          last,
          others,
          remedy,
          key: ALLOW[code]?.[0] ?? null,
          values: Array.from(values, ([value, seen]) => ({ value, count: seen })).toSorted((a, b) => b.count - a.count),
        })),
  }
}
