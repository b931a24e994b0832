import type { Runtime, Timer } from 'sallyport/internal'
import type { GatewayLog, RefusalCount, RefusalReason } from '../model/gateway.ts'

/** What is known of one refusal. What the peer wrote is cut and made printable before it is logged. */
export interface RefusalSample {
  readonly ip?: string | undefined
  readonly host?: string | undefined
  /** Without the query. */
  readonly path?: string | undefined
  /** In words of ours. */
  readonly detail?: string | undefined
}

/** Counts what is refused before it reaches a route's guard, and tells the operator: a line a minute of each kind. */
export interface Refusals {
  note(listener: string, reason: RefusalReason, sample: RefusalSample): void
  list(): readonly RefusalCount[]
  /** Forgets listeners that are gone. */
  keep(listeners: readonly string[]): void
  /** Tells what was only counted so far. */
  stop(): void
}

const WINDOW_MS = 60_000
const MESSAGES: { readonly [reason in RefusalReason]: string } = {
  'no-route': 'no route has this host and path',
  malformed: 'no HTTP request',
  'too-large': 'headers beyond the bound',
  timeout: 'a request that does not arrive',
  tls: 'no TLS handshake',
  'proxy-header': 'no PROXY header that is believed',
  silent: 'sockets without a request, while others needed their places',
  full: 'more connections than the policies allow',
  'plain-http': 'plain HTTP that is refused',
  host: 'plain HTTP for a host that the policy does not serve',
  'host-reported': 'plain HTTP for a host that the policy does not serve, which handshake/host only reports',
  'admin-token': 'no token of the admin API, or not the one',
  'admin-host': 'a Host of the admin API that is no name of loopback',
}

interface Kind {
  readonly listener: string
  readonly reason: RefusalReason
  total: number
  /** Since the last line. */
  untold: number
  last: RefusalSample
  /** How many of each address, since the last line. */
  readonly byAddress: Map<string, number>
  timer: Timer | null
}

/** Counts of a gateway. */
export function createRefusals(log: GatewayLog, runtime: Runtime, windowMs: number = WINDOW_MS): Refusals {
  const kinds = new Map<string, Kind>()

  const tell = (kind: Kind): void => {
    const facts = factsOf(kind)
    const { reason } = kind
    kind.untold = 0
    kind.byAddress.clear()
    if (reason === 'host-reported') log.warn({ ...facts, kind: 'reported' }, `would be refused: ${MESSAGES[reason]}`)
    else log.warn(facts, `refused: ${MESSAGES[reason]}`)
    kind.timer = runtime.setTimeout(() => {
      kind.timer = null
      if (kind.untold > 0) tell(kind)
    }, windowMs)
    kind.timer.unref()
  }

  const end = (kind: Kind): void => {
    if (kind.timer !== null) runtime.clearTimeout(kind.timer)
    kind.timer = null
  }

  return {
    note(listener, reason, sample) {
      const key = `${reason} ${listener}`
      let kind = kinds.get(key)
      if (kind === undefined)
        kinds.set(
          key,
          (kind = { listener, reason, total: 0, untold: 0, last: sample, byAddress: new Map(), timer: null }),
        )
      kind.total++
      kind.untold++
      kind.last = sample
      const { ip } = sample
      if (ip !== undefined && (kind.byAddress.has(ip) || kind.byAddress.size < MOST_ADDRESSES)) {
        kind.byAddress.set(ip, (kind.byAddress.get(ip) ?? 0) + 1)
      }
      if (kind.timer === null) tell(kind)
    },
    list: () => Array.from(kinds.values(), ({ listener, reason, total }) => ({ listener, reason, count: total })),
    keep(listeners) {
      for (const [key, kind] of kinds) {
        if (listeners.includes(kind.listener)) continue
        end(kind)
        kinds.delete(key)
      }
    },
    stop() {
      for (const kind of kinds.values()) {
        if (kind.untold > 0) tell(kind)
        end(kind)
      }
    },
  }
}

/** The facts of a log line about a kind. */
function factsOf({ listener, reason, untold, last, byAddress }: Kind): object {
  const addresses = mostOf(byAddress)
  const { ip, host, path, detail } = last
  return {
    kind: 'refused',
    listener,
    reason,
    count: untold,
    ip,
    host: hostShown(host),
    path: pathShown(path),
    detail,
    ...(addresses !== null && { addresses }),
  }
}

/** Addresses that are told apart between two lines. */
const MOST_ADDRESSES = 256
/** Addresses in one line. */
const SHOWN_ADDRESSES = 4

/** The addresses that were refused most often, and how often; null where a line is about one refusal. */
function mostOf(byAddress: ReadonlyMap<string, number>): { readonly [ip: string]: number } | null {
  const all = [...byAddress].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN_ADDRESSES)
  return all.length === 0 || (all.length === 1 && all[0]![1] === 1) ? null : Object.fromEntries(all)
}

const MOST_CHARS = 200
/** Beyond this much of what the peer wrote nothing is looked at. */
const READ_CHARS = 2048

/** Without what may be secret: query, fragment and parameters (`;jsessionid=…`), escaped ones too, and user and host of an absolute form. */
function pathShown(path: string | undefined): string | undefined {
  return shown(
    path
      ?.slice(0, READ_CHARS)
      .replace(/(?:[?#;]|%3f|%23|%3b).*$/is, '')
      .replace(/^[a-z][a-z\d+.-]*:\/*[^/\\]*/i, ''),
  )
}

/** Without query or user, of which `…@` tells. */
function hostShown(host: string | undefined): string | undefined {
  return shown(
    host
      ?.slice(0, READ_CHARS)
      .replace(/(?:[?#]|%3f|%23).*$/is, '')
      .replace(/^.*@/s, '…@'),
  )
}

function shown(text: string | undefined): string | undefined {
  return text?.slice(0, MOST_CHARS).replaceAll(/[^\x20-\x7e…]+/g, '\u{fffd}')
}
