import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServerOptions, WebSocketServer } from 'ws'
import type RequiredWs from 'ws' with { 'resolution-mode': 'require' }
import { isAnswering, isMidAnswer } from '../guard/answering.ts'
import type { Admission, Admittance, Core } from '../guard/core.ts'
import type { Delivery } from '../guard/hub.ts'
import { cutUntaken } from '../guard/upgrade-socket.ts'
import { extensions } from '../handshake/extensions.ts'
import { hideTickets } from './ws-protocols.ts'
import { guardedClass, type ReceiverLocks, type WebSocketClass } from './ws-socket.ts'

/** What `guard.ws()` gives to a `WebSocketServer`. Spread it last: each of these is a lock. */
export type WsOptions = Required<Pick<ServerOptions, 'verifyClient' | 'handleProtocols' | 'perMessageDeflate'>> &
  ReceiverLocks & {
    readonly closeTimeout: number
    /** Typed as what `require('ws')` answers, which it extends with its statics: @fastify/websocket asks for that. */
    readonly WebSocket: WebSocketClass & typeof RequiredWs
  }

/** The guard's side of one or more `ws` servers. */
export interface WsSide {
  /** Options for a server whose sockets are of a guarded subclass of `Base`. `delivery` takes the place of `message` listeners. */
  options(Base: WebSocketClass, delivery?: Delivery): WsOptions
  /** Runs the handshake door for an upgrade; the admission then waits for its socket. */
  admit(request: IncomingMessage, early: boolean): Admittance | Promise<Admittance>
  /** Whether a server was made with options of this side, so that what it opens is guarded. */
  guards(server: WebSocketServer): boolean
  /** Whether a socket is of a class of this side: it was opened, and is judged, by this guard. */
  opened(socket: object): boolean
}

/** The options that a server really has: an app may have replaced some. */
type Live = Pick<ServerOptions, 'handleProtocols' | 'WebSocket'>

/** A peer that sends a message in more pieces than this makes `ws` hold more bookkeeping than bytes. */
const BYTES_A_CHUNK = 64
const CLOSE_TIMEOUT_MS = 5_000
/** Of all connections together; `ws` takes the first that it is told for the whole process, so that it is no setting. */
const INFLATIONS_AT_ONCE = 10
const REPLACED =
  'The option WebSocket of a WebSocketServer was replaced after ...guard.ws(): its messages would pass unchecked, so every handshake is refused. Spread guard.ws(YourClass) last.'
const FOREIGN =
  'A WebSocketServer let a connection into a socket that is none of ...guard.ws(), where nothing would be checked, and it was cut: its ws is older than 8.20. Packages bring their own (express-ws has ws 7): raise it there, with `overrides` in package.json.'

/** Guards `ws` by its own options: `verifyClient` runs the handshake door, a subclass of its socket the message door. */
export function createWsSide(core: Core): WsSide {
  const admissions = new WeakMap<Duplex, Admission>()
  const classes = new WeakSet<object>()
  const { size } = core.policy.message
  const deflate = extensions(core.policy)
  const locks: ReceiverLocks = {
    maxPayload: size.bytes,
    maxFragments: size.fragments,
    maxBufferedChunks: Math.max(1024, Math.ceil(size.bytes / BYTES_A_CHUNK)),
    skipUTF8Validation: false,
  }

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

  let isForeign = false
  /** Lets the handshake in, and sees that what was opened for it is guarded: an old `ws` has no option `WebSocket`. */
  const letIn = ({ socket }: IncomingMessage, callback: (pass: boolean) => void): void => {
    callback(true)
    // `ws` has taken it by now, or has ended it.
    const left = socket.writableEnded ? undefined : claim(socket)
    if (left === undefined) return
    core.abandon(left)
    if (socket.destroyed) return
    socket.destroy()
    if (!isForeign) process.emitWarning(FOREIGN, { code: 'SALLY_CONTROL_FAILED' })
    isForeign = true
  }

  const guarded = (server: Live): boolean => server.WebSocket !== undefined && classes.has(server.WebSocket)
  const handleProtocols: WsOptions['handleProtocols'] = (_offered, request) =>
    admissions.get(request.socket)?.attempt.subprotocol ?? false

  return {
    admit,
    opened: socket => classes.has(socket.constructor),
    // JavaScript may give an HTTP server, which has no such options, or nothing.
    guards: server => guarded((server as Partial<WebSocketServer> | undefined)?.options ?? {}),
    options(Base, delivery) {
      const Guarded = guardedClass({ core, Base, locks, claim, delivery })
      classes.add(Guarded)
      return {
        // ws calls it as a method of the options that the server really has.
        verifyClient(this: Live | undefined, { req }, callback) {
          if (this !== undefined) {
            if (!guarded(this)) {
              process.emitWarning(REPLACED, { code: 'SALLY_CONTROL_FAILED' })
              callback(false, 503, '{"code":"SALLY_CONTROL_FAILED"}')
              return
            }
            hideTickets(this, handleProtocols)
          }
          if (isForeign) {
            callback(false, 503, '{"code":"SALLY_CONTROL_FAILED"}')
            return
          }
          if (admissions.has(req.socket)) {
            letIn(req, callback)
            return
          }
          const conclude = (answer: Admittance): void => {
            if (answer.pass) {
              letIn(req, callback)
              return
            }
            if (isMidAnswer(req.socket)) req.socket.destroy()
            else cutUntaken(req.socket)
            callback(false, answer.status, answer.body, { ...answer.headers })
          }
          const answer = admit(req, isAnswering(req.socket, req))
          if (answer instanceof Promise) void answer.then(conclude)
          else conclude(answer)
        },
        handleProtocols,
        ...locks,
        closeTimeout: CLOSE_TIMEOUT_MS,
        // No context is kept between messages, so that an idle connection holds no window. The client's window is not
        // bounded: `ws` answers 400 to an offer that does not speak of it, which is Firefox's (RFC 7692 §7.1.2.2).
        perMessageDeflate: deflate !== null && {
          threshold: deflate.threshold,
          concurrencyLimit: INFLATIONS_AT_ONCE,
          serverMaxWindowBits: deflate.windowBits,
          serverNoContextTakeover: true,
          clientNoContextTakeover: true,
        },
        WebSocket: Guarded as WebSocketClass & typeof RequiredWs,
      }
    },
  }
}
