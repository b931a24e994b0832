/**
 * Guards a Socket.IO server (4.7 or later), over WebSocket and long polling. The handshake door stands before each request: the
 * first of a session passes all of it, every later one the origin and the session again, since `allowRequest` is not asked there. The
 * message door takes each event by its name, with its one argument, an object, as the message; an acknowledgement may follow.
 *
 * `onAny` listeners hear events before any check: use `on`. Handlers are not counted (`message/concurrency`), and what the app
 * sends is its own (`message/outbound` is refused). Silent peers are ended by Socket.IO's own heartbeat. Tickets need the carrier
 * `query`, which both transports can bear: `io({ query: { ticket } })`, fetched for `?path=/socket.io/`.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import { isAnswering } from '../guard/answering.ts'
import type { Admission } from '../guard/core.ts'
import type { LiveConnection } from '../guard/live-connection.ts'
import { insideOf } from '../guard/registry.ts'
import { refusalOf } from '../guard/refusal.ts'
import { refuseUpgrade } from '../guard/refuse-upgrade.ts'
import type { Guard } from '../index.ts'
import type { SchemaMap } from '../policy/types.ts'
import type { Session } from '../session/session.ts'
import { createEventDoor, type EventSocket } from './socket-io-events.ts'
import { createRequestDoors, type EngineRequest, withOwnOrigin } from './socket-io-requests.ts'
import { type EngineSocketLike, type Next, refuseUnfit, type SocketIoServerLike } from './socket-io-server.ts'

/**
 * Puts a guard before and into a Socket.IO server. Call it right after `new Server(httpServer, { maxHttpBufferSize: 65_536 })`. Throws a
 * `TypeError` for what would pass unchecked, with what to write instead.
 */
export function guardSocketIo<S extends Session, M extends SchemaMap>(
  io: SocketIoServerLike,
  guard: Guard<S, M>,
): void {
  const inside = insideOf(guard)
  const { core } = inside
  refuseUnfit(io, guard.policy)
  const doors = createRequestDoors(inside)
  const judge = createEventDoor(inside)
  const admissions = new WeakMap<IncomingMessage, Admission>()
  const lives = new Map<string, LiveConnection>()
  const giveUp = (request: IncomingMessage): void => {
    const admission = admissions.get(request)
    if (admission !== undefined && admissions.delete(request)) core.abandon(admission)
  }

  io.engine.use((request, response, next) => {
    const upgrades = !(response instanceof ServerResponse)
    const view = withOwnOrigin(core.fromNode(request), request)
    // The very value that Engine.IO finds the session by.
    const { sid } = (request as EngineRequest)._query
    const refuse = (refusal: ReturnType<typeof refusalOf>): void => {
      if (upgrades) refuseUpgrade(request.socket, refusal)
      else response.writeHead(refusal.status, refusal.headers).end(refusal.body)
    }
    const decide = async (): Promise<void> => {
      if (sid) {
        const verdict = await doors.follow(request as EngineRequest, view, lives.get(sid), upgrades)
        return verdict.pass ? next() : refuse(refusalOf(verdict))
      }
      const denial = doors.refuseFirst(request as EngineRequest, view)
      if (denial !== null) return refuse(refusalOf(denial))
      const answer = await (upgrades ? core.admit(view, isAnswering(request.socket, request)) : core.admitPolling(view))
      if (!answer.pass) return refuse(answer)
      admissions.set(request, answer)
      // Whatever becomes of it, its places in the counts are given back.
      if (request.socket.destroyed) return giveUp(request)
      const end = upgrades ? request.socket : response
      end.once('close', () => giveUp(request))
      next()
    }
    decide().catch(() => next(new Error('SALLY_CONTROL_FAILED')))
  })
  io.engine.on('connection_error', failed => giveUp((failed as { readonly req: IncomingMessage }).req))

  io.engine.on('connection', opened => {
    const socket = opened as EngineSocketLike
    const admission = admissions.get(socket.request)
    admissions.delete(socket.request)
    if (admission === undefined) {
      // A middleware before ours took it past the door: nothing vouches for it.
      socket.close(true)
      return
    }
    const live: LiveConnection = core.open(
      admission,
      {
        get bufferedAmount() {
          return socket.writeBuffer.reduce((sum, { data }) => sum + sizeOf(data), 0)
        },
        // What the guard says goes out as an event; nothing is sent below Socket.IO's own frames.
        sendText: () => {},
        sendBinary: () => {},
        ping: () => queueMicrotask(() => live.ponged()),
        pause: () => {},
        resume: () => {},
        // Nothing that still waits for it goes out to whom it is taken from.
        close: () => void socket.close(true),
        terminate: () => void socket.close(true),
        limit: () => {},
      },
      { message: () => {} },
    )
    lives.set(socket.id, live)
    socket.on('packetCreate', ({ type, data }: { readonly type: string; readonly data?: unknown }) => {
      // Engine.IO's own pings are no sign of use.
      if (type === 'message') live.sent(sizeOf(data))
    })
    socket.on('close', () => {
      lives.delete(socket.id)
      doors.ended(socket.id)
      live.closed(1006)
    })
    live.begin()
  })

  const enter = (entering: unknown, next: Next): void => {
    const socket = entering as EventSocket & { readonly conn: { readonly id: string } }
    const live = lives.get(socket.conn.id)
    if (live === undefined || live.readyState !== 1) return next(new Error('SALLY_SESSION_MISSING'))
    socket.use((event, proceed) => judge(live, socket, event, proceed))
    next()
  }
  io.use(enter)
  io.sockets.on('new_namespace', namespace => (namespace as Pick<SocketIoServerLike, 'use'>).use(enter))
}

const sizeOf = (data: unknown): number =>
  typeof data === 'string' ? data.length : ((data as { byteLength?: number } | undefined)?.byteLength ?? 0)

export type { EngineSocketLike, SocketIoServerLike } from './socket-io-server.ts'
