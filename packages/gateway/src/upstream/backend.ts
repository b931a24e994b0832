import { quote } from 'sallyport/internal'
import type { NetConnectOpts } from 'node:net'

/** Where a backend is, parsed once. */
export interface Address {
  /** The text of the operator's configuration. */
  readonly label: string
  readonly tls: boolean
  /** The options for `net.connect`. */
  readonly connect: NetConnectOpts
  /** Name for Host, SNI and certificates: `10.0.0.3`. */
  readonly hostname: string
  /** Value of Host for this target: `10.0.0.3:9000`. */
  readonly host: string
}

/** Receives changes of a backend's state. */
export interface BackendLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}

/** One backend of an upstream, and its state. */
export class Backend {
  readonly address: Address
  /** Connections that are open or being opened. */
  open = 0
  /** Failed connects in a row. */
  failures = 0
  /** Skipped until this time, in ms since the epoch. */
  ejectedUntil = 0
  /** It fails but is still used, because no other target is left. */
  failing = false
  /** False while the active check fails. */
  answers = true
  /** When it last answered in HTTP, in ms since the epoch. */
  answeredAt = 0
  /** Why it is skipped. Null while it is not. */
  reason: string | null = null

  constructor(address: Address) {
    this.address = address
  }

  /** Whether new connections may go to it. */
  isUsable(now: number): boolean {
    return this.answers && this.ejectedUntil <= now
  }

  /** Whether it is usable and nothing is known against it. */
  isHealthy(now: number): boolean {
    return this.isUsable(now) && !this.failing
  }
}

/** Parses a target of the configuration. Throws a `TypeError` that says what to write. */
export function parseAddress(label: string): Address {
  if (label.startsWith('unix:')) {
    const path = label.slice('unix:'.length)
    if (!path.startsWith('/')) throw wrong(label)
    return { label, tls: false, connect: { path }, hostname: 'localhost', host: 'localhost' }
  }
  const url = URL.parse(label)
  if (url === null || !/^(?:ws|http)s?:$/.test(url.protocol)) throw wrong(label)
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw wrong(label)
  }
  const tls = url.protocol === 'wss:' || url.protocol === 'https:'
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port)
  return { label, tls, connect: { host: hostname, port }, hostname, host: url.host }
}

function wrong(label: string): TypeError {
  return new TypeError(
    `${quote(label)} is no target: write ws://host:port, wss://host:port or unix:/path, without path or credentials`,
  )
}
