import type { Duplex } from 'node:stream'
import type { WebSocket, WebSocketServer } from 'ws'
import { loadWs } from './adapters/ws/load-ws.ts'
import { requireClass } from './adapters/ws/socket-class.ts'
import { refuseAsOptions, refuseSpread } from './adapters/ws/uncalled.ts'
import { createUpgradeHandler, type UpgradeHandler } from './adapters/ws/upgrade.ts'
import { createWsSide, type WsOptions } from './adapters/ws/side.ts'
import { liveOf, takeOver, type WebSocketClass } from './adapters/ws/guarded-socket.ts'
import type { CountersSnapshot } from './event/counters.ts'
import type { SallyEvent } from './model/event.ts'
import type { Connection } from './connection/connection.ts'
import { createCore } from './guard/core.ts'
import { withinOf } from './guard/drain.ts'
import { createDispatch } from './connection/handlers.ts'
import { createObserver } from './guard/observer.ts'
import { refuse } from './node/refuse-upgrade.ts'
import { registerInside } from './guard/registry.ts'
import type { Revocable } from './guard/revocation-target.ts'
import type { Handlers } from './model/message-types.ts'
import { parsePolicy } from './policy/parse.ts'
import { type Report, reportPolicy } from './policy/report.ts'
import type { Policy, PolicyInput, SchemaMap } from './model/policy.ts'
import { systemRuntime } from './model/system-runtime.ts'
import type { Session } from './model/session.ts'
import type { Unsubscribe } from './model/store.ts'
import { createTicketEndpoint, type TicketEndpoint } from './guard/ticket-endpoint.ts'

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
  ws(webSocket?: WebSocketClass): WsOptions
  /** Handles `upgrade` events of one path for a `WebSocketServer({ noServer: true, ...guard.ws() })`; answers whether the path was its own. */
  upgrade(server: WebSocketServer, path: string): UpgradeHandler
  /**
   * Refuses an `upgrade` event that nobody serves with an HTTP status (404), and closes its socket. `socket.end(…)` would leave
   * it half open for as long as the peer likes. Throws a `TypeError` for what is no socket or no status from 400 to 599.
   */
  refuse(socket: Duplex, status: number): void
  /** The guarded connection behind a `ws` socket. Throws a `TypeError` for a socket that this guard did not open. */
  connection(socket: WebSocket): Connection<S>
  /** Gives a `ws` socket's messages, parsed and checked, to typed handlers instead of its `message` listeners. */
  handle(socket: WebSocket, handlers: Handlers<M, Connection<S>>): Connection<S>
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

/**
 * Compiles a policy. Throws one `PolicyError` that lists every problem with its path, its value and what to write.
 * Origins, session and schemas must be decided; everything else has a secure default.
 */
export function createGuard<S extends Session, const M extends SchemaMap>(input: PolicyInput<S, M>): Guard<S, M> {
  const policy = parsePolicy(input)
  const observer = createObserver(policy, systemRuntime)
  const core = createCore(policy, systemRuntime, observer)
  const { events } = observer
  const side = createWsSide(core)

  const guard: Guard<S, M> = {
    policy,
    report: () => reportPolicy(policy),
    on: listener => events.on(listener),
    counters: () => events.counters.snapshot(),
    metrics: () => events.counters.prometheus(),
    ticket: createTicketEndpoint({
      policy,
      parts: core.parts,
      fromNode: core.fromNode,
      fromWeb: (request, info) => core.fromWeb(request, info.ip ?? ''),
      runDoor: core.admitTicketRequest,
      withoutAddress: policy.weakened.some(({ path }) => path === 'handshake.ticket.dangerouslyWithoutAddress'),
      emit({ request, denial, session }) {
        if (denial === null) observer.issuedTicket(request, session)
        else observer.deniedTicket(request, denial, session)
      },
      wouldDeny: (denial, request, session) => observer.deniedTicket(request, denial, session, false),
    }),
    ws: refuseSpread((webSocket?: WebSocketClass) => {
      if (webSocket !== undefined) requireClass(webSocket)
      return side.options(webSocket ?? loadWs().WebSocket)
    }, 'guard.ws'),
    upgrade: (server, path) => createUpgradeHandler(side, server, path),
    refuse,
    connection(socket) {
      const live = liveOf(socket)
      if (live === undefined)
        throw new TypeError('this socket was not opened by a guard: create its server with ...guard.ws()')
      if (!side.opened(socket))
        throw new TypeError('this socket was opened by another guard, which judges it: ask that one')
      return live as unknown as Connection<S>
    },
    handle(socket, handlers) {
      const connection = guard.connection(socket)
      takeOver(socket, createDispatch(policy, handlers))
      return connection
    },
    revoke: core.revoke,
    async drain(options) {
      await core.drain(withinOf('guard.drain', options))
      events.flush()
    },
  }
  registerInside(guard, { core, observer })
  return Object.freeze(
    refuseAsOptions(guard, 'a guard is no options: write new WebSocketServer({ server, ...guard.ws() })'),
  )
}

export type { CountersSnapshot } from './event/counters.ts'
export type { EventKind, Logger, SallyEvent } from './model/event.ts'
export type { Connection } from './connection/connection.ts'
export type { Revocable } from './guard/revocation-target.ts'
export type { HandshakeRequest } from './model/handshake-request.ts'
export type { Handlers } from './model/message-types.ts'
export type { Schema } from './model/schema-kinds.ts'
export { DENIALS } from './policy/denials.ts'
export type { DenialCode, DenialRow, Level } from './model/denials.ts'
export { PolicyError } from './shape/problem.ts'
export { formatReport, type Report } from './policy/report.ts'
export type { Policy, PolicyInput, SchemaMap } from './model/policy.ts'
export type { ControlId } from './model/verdict.ts'
export type { Session, SessionResolver } from './model/session.ts'
export type { Budget, Store, StoreState, Taken, RevocationTarget } from './model/store.ts'
export type { TicketEndpoint } from './guard/ticket-endpoint.ts'
export type { UpgradeHandler, WsOptions }
