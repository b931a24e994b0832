import type { Budget } from './store.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const KIB = 1024

const perMinute = (amount: number): Budget => Object.freeze({ amount, perMs: MINUTE, burst: amount })

/** The defaults by name: `…Ms` is ms, `…Bytes` and `deflateThreshold` are bytes, the rest are counts. */
export interface Defaults {
  readonly name: string
  readonly timeoutMs: number
  readonly logWindowMs: number
  readonly headerBytes: number
  readonly headers: number
  readonly targetBytes: number
  readonly subprotocols: readonly string[]
  readonly deflateThreshold: number
  readonly deflateWindowBits: number
  readonly handshakesPerIp: Budget
  readonly handshakesPerUser: Budget
  readonly handshakesTotal: Budget
  readonly connectionsTotal: number
  readonly connectionsPerIp: number
  readonly connectionsStrangersPerIp: number
  readonly connectionsPerUser: number
  readonly ticketTtlMs: number
  readonly ticketParameter: string
  readonly authenticationMs: number
}

/** What a policy gets that says nothing: ms, bytes, counts. Each with its reason. */
export const DEFAULTS: Defaults = Object.freeze({
  name: 'sallyport',
  /** An asynchronous control answers from a store or a rule of the app; one that needs longer holds an open socket hostage. */
  timeoutMs: 5 * SECOND,
  /** A log line a kind and 10 s: readable under attack, still near enough to see one begin. */
  logWindowMs: 10 * SECOND,

  /** Node's own bound on headers is 16 KiB, and a session in several cookies is 12 KiB: what HTTP serves may also connect. */
  headerBytes: 16 * KIB,
  /** Browsers send about 15 header lines, proxies add some 10. */
  headers: 64,
  /** A path, and a ticket in the query, are below 1 KiB. */
  targetBytes: 2 * KIB,
  /** The protocol that `sallyport/client` speaks; the ticket beside it needs one to be answered with. */
  subprotocols: Object.freeze<string[]>(['sallyport.v1']),

  /** Compression is off unless asked for: CRIME-like leaks, bombs, memory (OWASP WS-3). Asked for, it begins at 1 KiB … */
  deflateThreshold: 1 * KIB,
  /** … with a 4 KiB window: a message being deflated costs about half the memory of the full one. */
  deflateWindowBits: 12,

  /**
   * Attempts that show nothing to say who they are: refused before any look-up, or visitors of a public endpoint. As many
   * as such visitors may hold connections, so that all of them are back at once after a deploy.
   */
  handshakesPerIp: perMinute(100),
  /** A user on 30 screens is back at once after a deploy, with ten to spare; later one attempt a second is far above any back-off. */
  handshakesPerUser: Object.freeze({ amount: 60, perMs: MINUTE, burst: 40 }),
  /** 500 a second of strangers in all: less than what the 64 look-ups at once of a store that needs 20 ms allow. */
  handshakesTotal: perMinute(30_000),

  /** About 70 MB of idle `ws` connections; beyond that a node should be added knowingly. */
  connectionsTotal: 10_000,
  /** A large office or a school behind one address, several tabs each, all of them known users. */
  connectionsPerIp: 1000,
  /** Nobody vouches for these: visitors of a public endpoint, and handshakes whose session is still looked up. */
  connectionsStrangersPerIp: 100,
  /** Tabs and devices of one person, or the screens of one shared account; half of what a minute's attempts allow. */
  connectionsPerUser: 30,

  /** From the ticket endpoint to the handshake is one round trip; 30 s forgives a slow radio and little else. */
  ticketTtlMs: 30 * SECOND,
  ticketParameter: 'ticket',

  /** The client sends its first message in its `open` event: one round trip. */
  authenticationMs: 5 * SECOND,
})
