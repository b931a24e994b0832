import type { Guard } from 'sallyport'
import type { GatewayConfig, RouteConfig } from './config.ts'

/** What happens, told to the operator: pino's own methods suffice. Never a token, cookie, body or session id. */
export interface GatewayLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** What a gateway is made of. */
export interface GatewayParts {
  readonly config: GatewayConfig
  /** Compiles the policy of a route, its session resolver included. Called once for each route that is new or changed. */
  readonly guardOf: (route: RouteConfig, config: GatewayConfig) => Guard
  readonly log: GatewayLog
}

/** One open pair, as the admin API lists it. */
export interface PairView {
  readonly id: string
  readonly route: string
  /** Of the backend: `ws://10.0.0.3:9000`. */
  readonly target: string
  readonly openedAt: number
  readonly ip: string
  /** Bytes that wait for the client. */
  readonly bufferedAmount: number
}

/** A backend, as the admin API and `/-/ready` see it. */
export interface TargetView {
  readonly upstream: string
  readonly target: string
  readonly open: number
  readonly healthy: boolean
  /** Why not, in words of ours. */
  readonly reason: string | null
}

/** Why a connection or request was refused before it reached the guard of a route. */
export type RefusalReason =
  | 'no-route'
  | 'malformed'
  | 'too-large'
  | 'timeout'
  | 'tls'
  | 'proxy-header'
  /** It had sent no request while others needed its place. */
  | 'silent'
  | 'full'
  | 'plain-http'
  | 'host'
  /** Passed: `handshake/host` only reports. */
  | 'host-reported'
  /** At the admin API: told in the log alone. */
  | 'admin-token'
  | 'admin-host'

/** How often, since the start, at a listener of the configuration. */
export interface RefusalCount {
  readonly listener: string
  readonly reason: RefusalReason
  readonly count: number
}

/** A running gateway. */
export interface Gateway {
  /** Binds every listener; rejects with the first listen error, and binds none then. */
  listen(): Promise<void>
  /** Bound addresses, by listener name: for port 0. */
  readonly ports: ReadonlyMap<string, number>
  /**
   * Takes on another configuration. Routes that are deeply equal keep guard and sockets; a changed policy applies to the
   * open connections of its route: those that it would refuse are closed with its code. Listeners that are gone stop,
   * certificates are read again. Throws, and changes nothing, when a guard cannot be made or a listener not be bound.
   */
  replace(config: GatewayConfig): Promise<ReplaceResult>
  /** Guards by route id. */
  readonly guards: ReadonlyMap<string, Guard>
  connections(): Iterable<PairView>
  targets(): readonly TargetView[]
  /** What was refused before any guard; what guards refuse is in their own counters. */
  refusals(): readonly RefusalCount[]
  /** Ends one connection by the id in events; false when there is none. */
  closeConnection(id: string): boolean
  /** Refuses new connections and lets the open ones go (1012) within the time; resolves when none is left. */
  drain(withinMs?: number): Promise<void>
  /** Drains, then stops listening. */
  close(withinMs?: number): Promise<void>
}

/** What a reload of the configuration did. */
export interface ReplaceResult {
  readonly kept: readonly string[]
  readonly changed: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
}
