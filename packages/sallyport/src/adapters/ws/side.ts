import { CLOSE_PATIENCE_MS } from '../../wire/close.ts'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServerOptions } from 'ws'
import { isAnswering, isMidAnswer } from '../../node/answering.ts'
import type { Admission, Admittance } from '../../guard/admission.ts'
import type { Core } from '../../guard/core.ts'
import type { Delivery } from '../../connection/services.ts'
import { cutUntaken } from '../../node/upgrade-socket.ts'
import { extensions } from '../../controls/handshake/extensions.ts'
import { isReported } from '../../model/reporting.ts'
import type { ControlId } from '../../model/verdict.ts'
import { deferredOptions, FIRST_MESSAGE } from './first-message.ts'
import { singleHeaders, withHeadersOnce } from './handshake.ts'
import { hideTickets } from './protocols.ts'
import type { ClassOption, ReceiverLocks, WsOptions, WsServer } from '../../model/ws-types.ts'
import { guardedClass, type WebSocketClass } from './guarded-socket.ts'

/** The guard's side of one or more `ws` servers. */
export interface WsSide {
  /** Options for a server whose sockets are of a guarded subclass of `Base`. `delivery` replaces `message` listeners. */
  options(Base: WebSocketClass, delivery?: Delivery): WsOptions & ClassOption<WebSocketClass>
  /** Runs the handshake door for an upgrade. The admission is then kept for the socket. */
  admit(request: IncomingMessage, early: boolean): Admittance | Promise<Admittance>
  /** An option of `guard.ws()` that a server lacks, so that something would pass unchecked; null if it has all. */
  missing(server: WsServer): Lock | null
  /**
   * Whether a connection proves itself by its first message. `ws` emits `connection` right after the handshake, and has no
   * option to wait. Only `guard.upgrade` can call the app's listener after the proof.
   */
  readonly isDeferred: boolean
  /** Whether a control is in report mode. */
  readonly reports: (control: ControlId) => boolean
  /** Greatest window of what is sent compressed; null where nothing is. */
  readonly windowBits: number | null
  /** Whether this guard opened a socket, and judges it. */
  opened(socket: object): boolean
}

/** An option that an app may have replaced. */
type Lock = 'WebSocket' | 'perMessageDeflate'

/** The options that a server really has: an app may have replaced some. */
type Live = Pick<ServerOptions, 'handleProtocols' | 'perMessageDeflate' | 'WebSocket'>

/** Gives `ws` the answer to a handshake. */
type VerifyCallback = (pass: boolean, status?: number, body?: string, headers?: OutgoingHttpHeaders) => void

/** A peer that sends a message in more pieces than this makes `ws` hold more bookkeeping than bytes. */
export const BYTES_A_CHUNK = 64
/** Of all connections together. `ws` takes the first value for the whole process, so this is no setting. */
const INFLATIONS_AT_ONCE = 10
/** A server that opened an unguarded socket gets another handshake after this time, in ms. */
const SUSPECT_MS = 1_000
const REFUSED = '{"code":"SALLY_CONTROL_FAILED"}'
const REPLACED: { readonly [option: string]: string } = {
  WebSocket:
    'The option WebSocket of a WebSocketServer was replaced after ...guard.ws(): its messages would pass unchecked, so every handshake is refused. Spread guard.ws(YourClass) last.',
  perMessageDeflate:
    'The option perMessageDeflate of a WebSocketServer was replaced after ...guard.ws(): what is compressed would have no bound, so every handshake is refused. Spread guard.ws() last, and allow compression in the policy: handshake.extensions.deflate.',
}
const FOREIGN =
  'A WebSocketServer let a connection into a socket without the options of ...guard.ws(), where nothing would be checked, and it was cut: its ws is older than 8.20. Packages bring their own (express-ws has ws 7): raise it there, with `overrides` in package.json.'

/** Guards `ws` by its own options: `verifyClient` runs the handshake door, a subclass of its socket the message door. */
export function createWsSide(core: Core): WsSide {
  const admissions = new WeakMap<Duplex, Admission>()
  const classes = new WeakSet<object>()
  const compressions = new WeakSet<object>()
  const { size } = core.policy.message
  const deflate = extensions.compile(core.policy)
  // A control in report mode leaves the app's options as they are.
  const reports = (control: ControlId): boolean => isReported(core.policy, control)
  const once = singleHeaders(core.policy)
  const locks: Partial<ReceiverLocks> = {
    ...(!reports('message/size') && {
      maxPayload: size.bytes,
      maxFragments: size.fragments,
      maxBufferedChunks: Math.max(1024, Math.ceil(size.bytes / BYTES_A_CHUNK)),
    }),
    ...(!reports('message/format') && { skipUTF8Validation: false }),
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
      // Whatever happens to the upgrade, its slots are given back when the socket closes.
      socket.once('close', () => {
        if (claim(socket) !== undefined) core.abandon(answer)
      })
      return answer
    }
    const answer = core.admit(core.fromNode(request), early)
    return answer instanceof Promise ? answer.then(keep) : keep(answer)
  }

  /** Servers that opened a guarded socket; and those that opened an unguarded one, with the time. */
  const sound = new WeakSet<object>()
  const suspects = new WeakMap<object, number>()
  const isSuspect = (server: object): boolean => core.context.now() - (suspects.get(server) ?? -Infinity) < SUSPECT_MS
  let warned = false
  /** Lets the handshake in, and checks that the socket opened for it is guarded: an old `ws` has no option `WebSocket`. */
  const letIn = ({ socket }: IncomingMessage, server: object, callback: (pass: boolean) => void): void => {
    withHeadersOnce(socket, once, () => callback(true))
    if (!admissions.has(socket)) {
      sound.add(server)
      suspects.delete(server)
      return
    }
    // `ws` has ended it, or opened a socket that this guard does not see.
    const left = socket.writableEnded ? undefined : claim(socket)
    if (left === undefined) return
    core.abandon(left)
    if (socket.destroyed) return
    socket.destroy()
    if (!warned) process.emitWarning(FOREIGN, { code: 'SALLY_CONTROL_FAILED' })
    warned = true
    // A server that also opens guarded sockets is not held back for one that was not.
    if (!sound.has(server)) suspects.set(server, core.context.now())
  }
  const { ticket } = core.policy.handshake
  const isDeferred = ticket?.carrier === 'first-message'

  const missing = ({ WebSocket: own, perMessageDeflate: compression }: Live): Lock | null => {
    if (own === undefined || !classes.has(own)) return 'WebSocket'
    // No compression is always allowed, and in report mode the app decides.
    if (compression === undefined || compression === null || compression === false || reports('handshake/extensions'))
      return null
    return typeof compression === 'object' && compressions.has(compression) ? null : 'perMessageDeflate'
  }
  const handleProtocols: WsOptions['handleProtocols'] = (offered, request) => {
    // In report mode it chooses as `ws` does by itself. Tickets are hidden here.
    if (reports('handshake/subprotocol')) return offered.values().next().value ?? false
    return admissions.get(request.socket)?.attempt.subprotocol ?? false
  }
  const choice = reports('handshake/subprotocol') ? {} : { handleProtocols }

  return {
    admit,
    isDeferred,
    reports,
    windowBits: deflate?.windowBits ?? null,
    opened: socket => classes.has(socket.constructor),
    // Untyped code may give an HTTP server, or nothing.
    missing: server => missing((server as { readonly options?: Live } | undefined)?.options ?? {}),
    options(Base, delivery) {
      const Guarded = guardedClass({
        core,
        Base,
        locks,
        windowBits: reports('handshake/extensions') ? null : (deflate?.windowBits ?? null),
        claim,
        delivery,
      })
      classes.add(Guarded)
      // No context is kept between messages, so that an idle connection holds no window. Neither window is bounded here:
      // `ws` answers 400 to an offer without the client's parameter, which is Firefox's (RFC 7692 §7.1.2.2), and writes
      // the server's into an answer to an offer without it, which some clients refuse. See `boundDeflate`.
      const compression = deflate !== null && {
        threshold: deflate.threshold,
        concurrencyLimit: INFLATIONS_AT_ONCE,
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
      }
      if (compression !== false) compressions.add(compression)
      return {
        // ws calls it as a method of the options that the server really has.
        verifyClient(this: Live | undefined, { req }: { req: IncomingMessage }, callback: VerifyCallback) {
          if (this !== undefined) {
            const replaced = missing(this)
            if (replaced !== null) {
              process.emitWarning(REPLACED[replaced]!, { code: 'SALLY_CONTROL_FAILED' })
              callback(false, 503, REFUSED)
              return
            }
            hideTickets(this, handleProtocols)
          }
          const server = this ?? Guarded
          if (isSuspect(server)) {
            callback(false, 503, REFUSED, { 'Retry-After': '1' })
            return
          }
          if (admissions.has(req.socket)) {
            letIn(req, server, callback)
            return
          }
          if (isDeferred) {
            process.emitWarning(`every handshake is refused: ${FIRST_MESSAGE}`, { code: 'SALLY_CONTROL_FAILED' })
            callback(false, 503, REFUSED)
            return
          }
          const conclude = (answer: Admittance): void => {
            if (answer.pass) {
              letIn(req, server, callback)
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
        ...choice,
        ...locks,
        ...(isDeferred && deferredOptions()),
        ...(core.policy.report !== 'all' && { closeTimeout: CLOSE_PATIENCE_MS }),
        ...(!reports('handshake/extensions') && { perMessageDeflate: compression }),
        WebSocket: Guarded,
      } as WsOptions & ClassOption<WebSocketClass>
    },
  }
}
