import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Admission, Core } from '../guard/core.ts'
import type { Delivery } from '../guard/hub.ts'
import type { LiveConnection } from '../guard/live-connection.ts'
import type { Transport } from '../guard/transport.ts'
import type { MessageSubject } from '../message/message-control.ts'

/** `ws`'s class, or the app's own subclass of it. */
export type WebSocketClass = typeof WebSocket

/** What of `ws` is not in its types. */
interface Innards {
  setSocket(socket: Duplex, head: Buffer, options: object): void
  /** Its bound is set low before and raised after authentication. */
  _receiver?: { _maxPayload?: number }
}

/** The guarded connection behind each socket of ours. */
const lives = new WeakMap<object, LiveConnection>()

/** Typed handlers that took the place of a socket's `message` listeners. */
const taken = new WeakMap<object, Delivery['message']>()

/** Gives a socket's messages to `deliver` instead of its `message` listeners. */
export function takeOver(socket: object, deliverTo: Delivery['message']): void {
  taken.set(socket, deliverTo)
}

/** The guarded connection of a `ws` socket; undefined for one that no guard opened. */
export function liveOf(socket: object): LiveConnection | undefined {
  return lives.get(socket)
}

/**
 * A subclass that stands between `ws`'s receiver and every `message` listener, and between `send` and the socket.
 * `claim` hands out, once, the admission that the handshake door gave the socket.
 */
export function guardedClass(
  core: Core,
  Base: WebSocketClass,
  claim: (socket: Duplex) => Admission | undefined,
  delivery: Delivery | undefined,
): WebSocketClass {
  const { prototype } = Base
  const innards = prototype as unknown as Innards
  const guardsOutbound = core.policy.message.outbound !== null

  class GuardedWebSocket extends Base {
    setSocket(socket: Duplex, head: Buffer, options: object): void {
      const admission = claim(socket)
      innards.setSocket.call(this, socket, admission === undefined ? Buffer.alloc(0) : head, options)
      if (admission === undefined) {
        // `verifyClient` was replaced or skipped: nothing vouches for this socket, so nothing passes through it.
        this.terminate()
        return
      }
      const live = core.open(
        admission,
        transportOf(this, prototype),
        delivery ?? { message: (subject, to) => deliver(this, subject, to) },
      )
      lives.set(this, live)
      live.begin()
    }

    override send(data: Parameters<WebSocket['send']>[0], ...rest: unknown[]): void {
      const live = lives.get(this)
      if (live === undefined || live.readyState >= 2 || (live.authenticated && !guardsOutbound)) {
        Reflect.apply(prototype.send, this, [data, ...rest])
        live?.sent(sizeOf(data))
        return
      }
      const options = rest[0] as { readonly binary?: boolean } | null | undefined
      const isText = typeof data === 'string' || (typeof options === 'object' && options?.binary === false)
      const sent = live.send(isText ? String(data) : new Uint8Array(data as Buffer))
      const callback = rest.at(-1)
      if (typeof callback === 'function') {
        callback(sent ? undefined : new Error('not sent: message/outbound refused it, or the connection is closing'))
      }
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      const live = lives.get(this)
      if (live === undefined) return event === 'message' ? false : super.emit(event, ...args)
      if (event === 'message') {
        const data = bufferOf(args[0])
        if (args[1] === true) live.binary(data)
        else live.text(data.toString(), data.byteLength)
        return true
      }
      if (event === 'ping') live.pinged()
      else if (event === 'pong') live.ponged()
      else if (event === 'close') live.closed(Number(args[0]))
      else if (event === 'error') {
        live.violation(...violationOf(args[0]))
        // The guard's events tell of it; without a listener of the app's own it must not end the process.
        if (this.listenerCount('error') === 0) return false
      }
      return super.emit(event, ...args)
    }
  }
  return GuardedWebSocket
}

/** Hands what passed to the app's own `message` listeners: the value that was checked, serialised anew. */
function deliver(socket: WebSocket, subject: MessageSubject, connection: LiveConnection): unknown {
  const handlers = taken.get(socket)
  if (handlers !== undefined) return handlers(subject, connection)
  const [data, isBinary] = payloadOf(subject)
  const pending: unknown[] = []
  // Called here rather than by `emit`, so that an asynchronous listener counts as a running handler and its failure is ours.
  for (const listener of socket.rawListeners('message')) {
    const result: unknown = Reflect.apply(listener, socket, [data, isBinary])
    if (result instanceof Promise) pending.push(result)
  }
  return pending.length === 0 ? undefined : Promise.all(pending)
}

function payloadOf({ value, data, text }: MessageSubject): readonly [Buffer, boolean] {
  if (data !== null) return [Buffer.from(data.buffer, data.byteOffset, data.byteLength), true]
  return [Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? text ?? '')), false]
}

function transportOf(socket: WebSocket, prototype: WebSocket): Transport {
  return {
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    sendText: text => Reflect.apply(prototype.send, socket, [text]),
    sendBinary: bytes => Reflect.apply(prototype.send, socket, [bytes]),
    ping: () => prototype.ping.call(socket),
    pause: () => prototype.pause.call(socket),
    resume: () => prototype.resume.call(socket),
    close: (code, reason) => prototype.close.call(socket, code, reason),
    terminate: () => prototype.terminate.call(socket),
    limit(bytes) {
      const { _receiver } = socket as unknown as Innards
      if (typeof _receiver?._maxPayload === 'number') _receiver._maxPayload = bytes
    },
  }
}

/** What `ws` reports of a peer that broke the protocol or a bound, as a close code and a word for the log. */
function violationOf(error: unknown): [closeCode: number, detail: string] {
  const code = String((error as { code?: unknown } | null)?.code)
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH')
    return [1009, code]
  if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return [1008, code]
  if (code === 'WS_ERR_INVALID_UTF8') return [1007, code]
  return [1002, code]
}

function bufferOf(data: unknown): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data as Buffer[]) : Buffer.from(data as ArrayBuffer)
}

function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length
  return (data as { readonly byteLength?: number } | null)?.byteLength ?? 0
}
