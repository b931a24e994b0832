import type { Duplex } from 'node:stream'
import type { Connection } from '../connection/connection.ts'
import type { CountersSnapshot } from '../event/counters.ts'
import type { SallyEvent } from '../model/event.ts'
import type { Handlers } from '../model/message-types.ts'
import type { Policy, SchemaMap } from '../model/policy.ts'
import type { Session } from '../model/session.ts'
import type { Unsubscribe } from '../model/store.ts'
import type { ClassOption, UpgradeHandler, WsClass, WsOptions, WsServer, WsSocket } from '../model/ws-types.ts'
import type { Report } from '../policy/report.ts'
import type { Revocable } from './revocation-target.ts'
import type { TicketEndpoint } from './ticket-endpoint.ts'

/** A compiled policy and the ways in that it locks. */
export interface Guard<S extends Session = Session, M extends SchemaMap = SchemaMap> {
  /** The frozen policy, every default filled in. */
  readonly policy: Policy
  /** What is on, off and weakened, and which requirement that touches. */
  report(): Report
  /** Calls `listener` with every event, redacted. */
  on(listener: (event: SallyEvent) => void): Unsubscribe
  /** Counts by control, code and route. */
  counters(): CountersSnapshot
  /** The same in Prometheus text form; serve it as `text/plain; version=0.0.4`. */
  metrics(): string
  /** Issues tickets by POST: a Node listener, an Express or Fastify handler, or `Request → Response`. */
  readonly ticket: TicketEndpoint
  /** Options for `ws`'s `WebSocketServer`: spread them last. Give the class if `ws` is bundled or extended. */
  ws<W extends WsClass | undefined = undefined>(webSocket?: W): WsOptions & ClassOption<W>
  /** Handles `upgrade` events of one path for a `WebSocketServer({ noServer: true, ...guard.ws() })`; answers whether the path was its own. */
  upgrade(server: WsServer, path: string): UpgradeHandler
  /**
   * Refuses an `upgrade` event that nobody serves with an HTTP status (404), and closes its socket. `socket.end(…)` would leave
   * it half open for as long as the peer likes. Throws a `TypeError` for what is no socket or no status from 400 to 599.
   */
  refuse(socket: Duplex, status: number): void
  /** The guarded connection behind a `ws` socket. Throws a `TypeError` for a socket that this guard did not open. */
  connection(socket: WsSocket): Connection<S>
  /** Gives a `ws` socket's messages, parsed and checked, to typed handlers instead of its `message` listeners. */
  handle(socket: WsSocket, handlers: Handlers<M, Connection<S>>): Connection<S>
  /**
   * Closes the connections of a session, a user or everybody of this guard's name, on every node, refuses the tickets already
   * issued and the handshakes under way. With `expiresAt` (ms since the epoch) it is remembered until then, otherwise for
   * `lifetime.session.remember`.
   */
  revoke(target: Revocable): Promise<void>
  /** Refuses new connections and lets the open ones go within `lifetime.shutdown` (or `withinMs`); resolves when none is left. */
  drain(options?: { readonly withinMs?: number }): Promise<void>
}

/**
 * The union of the messages that a guard lets in, for the client's half: `connect<MessagesOf<typeof guard>>(…)`. Read from
 * `Handlers`, which is exported, so that the declarations of a library can name it.
 */
export type MessagesOf<G> =
  G extends Guard<infer _S, infer M> ? Parameters<Handlers<M, never>[keyof M & string]>[0] : never
