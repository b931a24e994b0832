import type { Duplex } from 'node:stream'
import type { Connection } from '../connection/connection.ts'
import type { CountersSnapshot } from '../event/counts.ts'
import type { SallyEvent } from '../model/event.ts'
import type { Handlers } from '../model/message-types.ts'
import type { Policy } from '../policy/types.ts'
import type { SchemaMap } from '../model/schema-kinds.ts'
import type { Session } from '../model/session.ts'
import type { Unsubscribe } from '../model/store.ts'
import type { ClassOption, UpgradeHandler, WsClass, WsOptions, WsServer, WsSocket } from '../model/ws-types.ts'
import type { Report } from '../policy/report.ts'
import type { Revocable } from './revocation-target.ts'
import type { TicketEndpoint } from './ticket-endpoint.ts'

/** A compiled policy and the ways in that it protects. */
export interface Guard<S extends Session = Session, M extends SchemaMap = SchemaMap> {
  /** The frozen policy with every default filled in. */
  readonly policy: Policy
  /** What is on, off and weakened, and which requirements that affects. */
  report(): Report
  /** Calls `listener` with every event. Events are redacted. */
  on(listener: (event: SallyEvent) => void): Unsubscribe
  /** Counts by control, code and route. */
  counters(): CountersSnapshot
  /** The counters in Prometheus text format. Serve them as `text/plain; version=0.0.4`. */
  metrics(): string
  /**
   * Issues tickets for POST requests. Use it as a Node listener, an Express or Fastify handler, or as a function from
   * `Request` to `Response`.
   */
  readonly ticket: TicketEndpoint
  /**
   * Options for `ws`'s `WebSocketServer`. Spread them last. Pass the `WebSocket` class if `ws` is bundled or extended.
   */
  ws<W extends WsClass | undefined = undefined>(webSocket?: W): WsOptions & ClassOption<W>
  /**
   * Handles the `upgrade` events of one path for a `WebSocketServer({ noServer: true, ...guard.ws() })`. The handler
   * returns whether the path was its own.
   */
  upgrade(server: WsServer, path: string): UpgradeHandler
  /**
   * Refuses an `upgrade` event that no handler serves, with an HTTP status (404), and closes its socket.
   * `socket.end(…)` would leave the socket half open for as long as the peer wants. Throws a `TypeError` for a value
   * that is not a socket, or a status outside 400 to 599.
   */
  refuse(socket: Duplex, status: number): void
  /** The guarded connection behind a `ws` socket. Throws a `TypeError` for a socket that this guard did not open. */
  connection(socket: WsSocket): Connection<S>
  /** Gives the messages of a `ws` socket, parsed and checked, to typed handlers. Its `message` listeners get none. */
  handle(socket: WsSocket, handlers: Handlers<M, Connection<S>>): Connection<S>
  /**
   * Closes the connections of a session, of a user or of all users of this guard's name, on every node. It also refuses
   * their issued tickets and their handshakes under way. With `expiresAt` (ms since the epoch) the revocation is
   * remembered until then, otherwise for `lifetime.session.remember`.
   */
  revoke(target: Revocable): Promise<void>
  /**
   * Refuses new connections and closes the open ones within `lifetime.shutdown`, or within `withinMs`. Resolves when no
   * connection is left.
   */
  drain(options?: { readonly withinMs?: number }): Promise<void>
}

/**
 * The union of the messages that a guard accepts, for the client: `connect<MessagesOf<typeof guard>>(…)`. It is derived
 * from `Handlers`. That type is exported, so the declarations of a library can name it.
 */
export type MessagesOf<G> =
  G extends Guard<infer _S, infer M> ? Parameters<Handlers<M, never>[keyof M & string]>[0] : never
