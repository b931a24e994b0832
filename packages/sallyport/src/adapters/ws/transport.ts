import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { kernelQueueOf } from '../../node/kernel-queue.ts'
import { isReset, startHandle, stopHandle } from '../../node/socket-handle.ts'
import type { Transport } from '../../connection/transport.ts'
import { violationOf } from '../../connection/violation.ts'
import { DENIALS } from '../../policy/denials.ts'
import { isReported } from '../../model/reporting.ts'
import type { Policy } from '../../model/policy.ts'

/** What of `ws` is not in its types. */
interface Received {
  /** Its bound is set low before and raised after authentication; `errored` is what the peer broke, once it did. */
  _receiver?: Receiving | null
  readonly _socket?: Socket | null
}

interface Receiving {
  _maxPayload?: number
  /** Goes on while true: what came in one read is taken apart in one loop. */
  _loop?: boolean
  readonly _bufferedBytes?: number
  readonly _state?: number
  readonly errored?: unknown
  write?(bytes: Buffer): unknown
}

const NOTHING = Buffer.alloc(0)

/** States of `ws`'s receiver from the length of a frame to its last byte. */
const FRAME_BEGUN = 1
const FRAME_DATA = 4

/**
 * A guarded socket as its connection drives it: by the methods of `ws` below the guarded class's own. `limits`: whether
 * the bound on messages is set on the receiver; what only reports sets none.
 */
export function transportOf(socket: WebSocket, prototype: WebSocket, limits: boolean): Transport {
  return {
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    get midFrame() {
      const state = (socket as unknown as Received)._receiver?._state ?? 0
      return state >= FRAME_BEGUN && state <= FRAME_DATA
    },
    get bytesRead() {
      return (socket as unknown as Received)._socket?.bytesRead ?? 0
    },
    kernelQueue() {
      const { _socket: below } = socket as unknown as Received
      return below == null ? null : kernelQueueOf(below)
    },
    sendText: text => Reflect.apply(prototype.send, socket, [text]),
    sendBinary: bytes => Reflect.apply(prototype.send, socket, [bytes]),
    ping: () => prototype.ping.call(socket),
    pong: () => prototype.pong.call(socket),
    isReset() {
      const { _socket } = socket as unknown as Received
      return _socket != null && isReset(_socket)
    },
    pause() {
      prototype.pause.call(socket)
      // What came in the same read would be taken apart all the same.
      const { _receiver, _socket } = socket as unknown as Received
      if (_receiver?._loop === true) _receiver._loop = false
      if (_socket != null) stopHandle(_socket)
    },
    get keptBytes() {
      return (socket as unknown as Received)._receiver?._bufferedBytes ?? 0
    },
    resume() {
      prototype.resume.call(socket)
      const { _receiver, _socket } = socket as unknown as Received
      if (_socket != null) startHandle(_socket)
      if ((_receiver?._bufferedBytes ?? 0) > 0) process.nextTick(takeApart, socket)
    },
    close: (code, reason) => prototype.close.call(socket, code, reason),
    terminate: () => prototype.terminate.call(socket),
    limit(bytes) {
      if (!limits) return
      const { _receiver } = socket as unknown as Received
      if (typeof _receiver?._maxPayload === 'number') _receiver._maxPayload = bytes
    },
  }
}

/** Goes on with what was read before a pause. */
function takeApart(socket: WebSocket): void {
  const { _receiver } = socket as unknown as Received
  if (socket.isPaused || socket.readyState === socket.CLOSED || _receiver == null) return
  if (_receiver.errored == null && (_receiver._bufferedBytes ?? 0) > 0) _receiver.write?.(NOTHING)
}

/** What `ws` reports of a peer that broke the protocol or a bound, as a close code and a word for the log. */
export function faultOf(error: unknown): [closeCode: number, detail: string] {
  const code = String((error as { code?: unknown } | null)?.code)
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH')
    return [1009, code]
  if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return [1008, code]
  if (code === 'WS_ERR_INVALID_UTF8') return [1007, code]
  return [1002, code]
}

/**
 * What a peer is closed with that broke the protocol or a bound: the guard's own code and a word, where `ws` closes
 * without a word, and for too many fragments with 1008. Undefined while nothing is broken, and for what is only reported.
 */
export function endOf(
  socket: object,
  policy: Pick<Policy, 'report'>,
): { readonly code: number | undefined; readonly reason: string } | undefined {
  const error = (socket as Received)._receiver?.errored
  if (!(error instanceof Error)) return undefined
  const { code } = violationOf(...faultOf(error))
  if (isReported(policy, DENIALS[code].control)) return undefined
  return { code: DENIALS[code].close, reason: code }
}
