import { isAscii } from 'node:buffer'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Admission } from '../../guard/admission.ts'
import type { Core } from '../../guard/core.ts'
import type { Delivery } from '../../connection/services.ts'
import type { Connection } from '../../connection/connection.ts'
import type { LiveConnection } from '../../connection/live-connection.ts'
import type { MessageSubject } from '../../controls/message/message-control.ts'
import { boundDeflate } from './handshake.ts'
import { isReported } from '../../model/reporting.ts'
import type { ReceiverLocks } from '../../model/ws-types.ts'
import { bytesOf, payloadOf, readBuffers, sizeOf } from './data.ts'
import { endOf, faultOf, transportOf } from './transport.ts'

/** `ws`'s class, or the app's own subclass of it. */
export type WebSocketClass = typeof WebSocket

/** The parts of a guarded class. */
export interface Guarding {
  readonly core: Core
  readonly Base: WebSocketClass
  readonly locks: Partial<ReceiverLocks>
  /** Greatest window of what is sent compressed; null where nothing is. */
  readonly windowBits: number | null
  /** Hands out, once, the admission that the handshake door gave the socket. */
  readonly claim: (socket: Duplex) => Admission | undefined
  /** Takes the place of `message` listeners. */
  readonly delivery: Delivery | undefined
}

const SKIPPED =
  'A WebSocketServer opened a socket that the handshake door had not let in, and it was cut: the option verifyClient was replaced after ...guard.ws(). Spread guard.ws() last; a rule of your own belongs into handshake.authorize.'

/** Fields of `ws` that its types leave out. */
interface Pinged {
  readonly _receiver?: { prependListener?(event: 'ping', listener: (data: Buffer) => void): void } | null
  readonly _closeFrameReceived?: boolean
}

/** The payload of the ping that the receiver reports now. `ws` then calls `pong` with the same Buffer. */
let pinged: unknown = null
const notePing = (data: Buffer): void => {
  pinged = data
}

/** Sends a ping or pong of the app, without its payload if `message/outbound` refuses it. */
function sendControl(prototype: WebSocket, socket: WebSocket, kind: 'ping' | 'pong', args: unknown[]): void {
  const [data] = args
  const isAnswer = kind === 'pong' && data === pinged && data !== null
  pinged = null
  const bytes = data === undefined || data === null || typeof data === 'function' ? 0 : controlBytes(data)
  const leaves = isAnswer || (lives.get(socket)?.mayLeave(kind, bytes) ?? true)
  Reflect.apply(prototype[kind], socket, leaves ? args : [undefined, ...args.slice(1)])
}

const controlBytes = (data: unknown): number =>
  typeof data === 'string' || typeof data === 'number' ? Buffer.byteLength(String(data)) : Math.max(1, sizeOf(data))

/** Whether a close reason may leave. The peer's own reason, which `ws` sends back, may. */
function keepsReason(socket: WebSocket, reason: string | Buffer | undefined): boolean {
  if (reason === undefined || (socket as unknown as Pinged)._closeFrameReceived === true) return true
  return lives.get(socket)?.mayLeave('close reason', controlBytes(reason)) ?? true
}

/** Fields of `ws` that its types leave out. */
interface Innards {
  readonly _closeFrameReceived?: boolean
  /** In Bun it answers whether the socket became a WebSocket; in `ws` it answers nothing. */
  setSocket(socket: Duplex, head: Buffer, options: object): unknown
}

/** The guarded connection of each guarded socket. */
const lives = new WeakMap<object, LiveConnection>()

/** Typed handlers that replace a socket's `message` listeners. */
const taken = new WeakMap<object, Delivery['message']>()

/** To be called once a socket has proven itself by its first message. */
const announcements = new WeakMap<object, () => void>()

/** Runs `announce` once the peer of a socket has proven itself by its first message; at once if it need not. */
export function whenProven(socket: object, announce: () => void): void {
  const live = lives.get(socket)
  if (live === undefined || !live.silent) announce()
  else announcements.set(socket, announce)
}

/** Gives a socket's messages to `deliver` instead of its `message` listeners. */
export function takeOver(socket: object, deliverTo: Delivery['message']): void {
  taken.set(socket, deliverTo)
}

/** The guarded connection of a `ws` socket; undefined for one that no guard opened. */
export function liveOf(socket: object): LiveConnection | undefined {
  return lives.get(socket)
}

/** A subclass that stands between `ws`'s receiver and every `message` listener, and between `send` and the socket. */
export function guardedClass({ core, Base, locks, windowBits, claim, delivery }: Guarding): WebSocketClass {
  const { prototype } = Base
  const innards = prototype as unknown as Innards
  const limits = !isReported(core.policy, 'message/size')
  const { countListeners: countsListeners } = core.policy.message.concurrency
  const guardsOutbound = core.policy.message.outbound !== null
  const onlyReports = isReported(core.policy, 'message/outbound')

  let warned = false

  class GuardedWebSocket extends Base {
    setSocket(socket: Duplex, head: Buffer, options: object): unknown {
      const admission = claim(socket)
      const bytes = admission === undefined ? Buffer.alloc(0) : head
      const attached = innards.setSocket.call(this, socket, bytes, { ...options, ...locks })
      if (attached === false) {
        if (admission !== undefined) core.abandon(admission)
        return attached
      }
      if (windowBits !== null) boundDeflate(this, windowBits, locks.maxPayload)
      // A subclass may have chosen one before there was a receiver.
      Reflect.set(this, 'binaryType', this.binaryType)
      if (admission === undefined) {
        // `verifyClient` was replaced or skipped: the door did not judge this socket, so nothing passes through it.
        if (!warned) process.emitWarning(SKIPPED, { code: 'SALLY_CONTROL_FAILED' })
        warned = true
        this.terminate()
        return attached
      }
      if (guardsOutbound) (this as unknown as Pinged)._receiver?.prependListener?.('ping', notePing)
      // As answered: a library such as graphql-ws chooses by a function of its own.
      admission.attempt.subprotocol = this.protocol || null
      const transport = transportOf(this, prototype, limits)
      const live = core.open(admission, transport, delivery ?? new Listeners(this, countsListeners))
      lives.set(this, live)
      live.begin()
      return attached
    }

    override send(data: Parameters<WebSocket['send']>[0], ...rest: unknown[]): void {
      const live = lives.get(this)
      if (live === undefined || live.readyState >= 2 || (!live.silent && !guardsOutbound)) {
        Reflect.apply(prototype.send, this, [data, ...rest])
        live?.sent(sizeOf(data))
        return
      }
      const options = rest[0] as { readonly binary?: boolean } | null | undefined
      const isText =
        typeof data === 'string' ||
        typeof data === 'number' ||
        (typeof options === 'object' && options?.binary === false)
      const message = isText ? textOf(data) : bytesOf(data)
      if (!live.silent && onlyReports) {
        // In report mode it leaves with the app's own options.
        live.reportOutbound(message)
        Reflect.apply(prototype.send, this, [data, ...rest])
        live.sent(sizeOf(data))
        return
      }
      const sent = live.send(message)
      const callback = rest.at(-1)
      if (typeof callback === 'function') {
        callback(sent ? undefined : new Error('not sent: message/outbound refused it, or the connection is closing'))
      }
    }

    override ping(...args: unknown[]): void {
      if (!isSilent(this, args)) sendControl(prototype, this, 'ping', args)
    }

    override pong(...args: unknown[]): void {
      if (!isSilent(this, args)) sendControl(prototype, this, 'pong', args)
    }

    override close(code?: number, reason?: string | Buffer): void {
      if ((this as unknown as Innards)._closeFrameReceived === true) lives.get(this)?.closing()
      const end = reason === undefined && lives.has(this) ? endOf(this, core.policy) : undefined
      if (end === undefined) prototype.close.call(this, code, keepsReason(this, reason) ? reason : undefined)
      else prototype.close.call(this, end.code, end.reason)
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      const live = lives.get(this)
      if (live === undefined) return event === 'message' ? false : super.emit(event, ...args)
      if (event === 'message') {
        const data = args[0] as Buffer
        if (args[1] === true) live.binary(data)
        else live.utf8(data, 0, data.length, isAscii(data))
        return true
      }
      if (event === 'ping' || event === 'pong') {
        if (event === 'ping') live.pinged()
        else live.ponged()
        // The app does not hear a peer before its proof.
        if (live.silent) return true
      } else if (event === 'close') {
        live.closed(Number(args[0]))
        // After the messages that came before it.
        live.onceOver(() => void super.emit(event, ...args))
        return true
      } else if (event === 'error') {
        live.violation(...faultOf(args[0]))
        // The guard's events report it. Without a listener of the app it must not end the process.
        if (this.listenerCount('error') === 0) return false
      }
      return super.emit(event, ...args)
    }
  }
  readBuffers(GuardedWebSocket.prototype)
  return GuardedWebSocket
}

/** Whether a socket is not proven yet, so that no control frame may leave. A callback among `given` then gets an error. */
function isSilent(socket: object, given: readonly unknown[]): boolean {
  const live = lives.get(socket)
  if (live?.silent !== true) return false
  const callback = given.find(one => typeof one === 'function') as ((error: Error) => void) | undefined
  callback?.(new Error('not sent: the connection has not proven itself by its first message'))
  return true
}

const textOf = (data: unknown): string => String(data)

/** Gives messages that passed to the app's `message` listeners: the bytes that came, or an altered value as JSON. */
export class Listeners implements Delivery {
  readonly #socket: WebSocket
  readonly #countsListeners: boolean

  constructor(socket: WebSocket, countsListeners: boolean) {
    this.#socket = socket
    this.#countsListeners = countsListeners
  }

  get takesBytes(): boolean {
    return !taken.has(this.#socket)
  }

  /** Typed handlers end with their message. A listener may last as long as the connection, as that of graphql-ws. */
  get counts(): boolean {
    return this.#countsListeners || taken.has(this.#socket)
  }

  open(): void {
    const announce = announcements.get(this.#socket)
    announcements.delete(this.#socket)
    announce?.()
  }

  message(subject: MessageSubject, connection: Connection): unknown {
    const socket = this.#socket
    const handlers = taken.get(socket)
    if (handlers !== undefined) {
      // It was judged for listeners, who need only bytes, before these handlers replaced them.
      if (subject.exact === true && subject.value === undefined) subject.value = JSON.parse(subject.text ?? '')
      return handlers(subject, connection)
    }
    const [data, isBinary] = payloadOf(subject, socket.binaryType)
    const pending: unknown[] = []
    // Called here rather than by `emit`, to catch what an asynchronous listener throws.
    for (const listener of socket.rawListeners('message')) {
      const result: unknown = Reflect.apply(listener, socket, [data, isBinary])
      if (result instanceof Promise) pending.push(result)
    }
    return pending.length === 0 ? undefined : Promise.all(pending)
  }
}
