import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServerOptions } from 'ws'
import type { Admission, Admittance, Core } from '../guard/core.ts'
import type { Delivery } from '../guard/hub.ts'
import { guardedClass, type WebSocketClass } from './ws-socket.ts'

/** What `guard.ws()` gives to a `WebSocketServer`. Spread it last: each of these is a lock. */
export type WsOptions = Required<
  Pick<ServerOptions, 'verifyClient' | 'handleProtocols' | 'maxPayload' | 'perMessageDeflate' | 'WebSocket'>
> & {
  readonly maxFragments: number
  readonly maxBufferedChunks: number
  readonly closeTimeout: number
}

/** The guard's side of one or more `ws` servers. */
export interface WsSide {
  /** Options for a server whose sockets are of a guarded subclass of `Base`. `delivery` takes the place of `message` listeners. */
  options(Base: WebSocketClass, delivery?: Delivery): WsOptions
  /** Runs the handshake door for an upgrade; the admission then waits for its socket. */
  admit(request: IncomingMessage, early: boolean): Admittance | Promise<Admittance>
}

/** A peer that sends a message in more pieces than this makes `ws` hold more bookkeeping than bytes. */
const BYTES_A_CHUNK = 64
const CLOSE_TIMEOUT_MS = 5_000

/** Guards `ws` by its own options: `verifyClient` runs the handshake door, a subclass of its socket the message door. */
export function createWsSide(core: Core): WsSide {
  const admissions = new WeakMap<Duplex, Admission>()
  const { size } = core.policy.message
  const deflate = core.policy.handshake.extensions

  const claim = (socket: Duplex): Admission | undefined => {
    const admission = admissions.get(socket)
    admissions.delete(socket)
    return admission
  }

  const admit: WsSide['admit'] = (request, early) => {
    const { socket } = request
    const keep = (answer: Admittance): Admittance => {
      if (!answer.pass) return answer
      if (socket.destroyed) {
        core.abandon(answer)
        return answer
      }
      admissions.set(socket, answer)
      // Whatever becomes of the upgrade, its places in the counts are given back with the socket.
      socket.once('close', () => {
        if (claim(socket) !== undefined) core.abandon(answer)
      })
      return answer
    }
    const answer = core.admit(core.fromNode(request), early)
    return answer instanceof Promise ? answer.then(keep) : keep(answer)
  }

  return {
    admit,
    options: (Base, delivery) => ({
      verifyClient: ({ req }, callback) => {
        if (admissions.has(req.socket)) {
          callback(true)
          return
        }
        const conclude = (answer: Admittance): void => {
          if (answer.pass) callback(true)
          else callback(false, answer.status, answer.body, { ...answer.headers })
        }
        const answer = admit(req, false)
        if (answer instanceof Promise) void answer.then(conclude)
        else conclude(answer)
      },
      handleProtocols: (_offered, request) => admissions.get(request.socket)?.attempt.subprotocol ?? false,
      maxPayload: size.bytes,
      maxFragments: size.fragments,
      maxBufferedChunks: Math.max(1024, Math.ceil(size.bytes / BYTES_A_CHUNK)),
      closeTimeout: CLOSE_TIMEOUT_MS,
      // No context is kept between messages, so that an idle connection holds no window.
      perMessageDeflate: deflate !== null && {
        threshold: deflate.threshold,
        concurrencyLimit: deflate.concurrency,
        serverMaxWindowBits: deflate.windowBits,
        clientMaxWindowBits: deflate.windowBits,
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
      },
      WebSocket: guardedClass(core, Base, claim, delivery) as WsOptions['WebSocket'],
    }),
  }
}
