import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { kernelQueueOf } from '../../node/kernel-queue.ts'
import { isReset, startHandle, stopHandle } from '../../node/socket-handle.ts'
import type { Transport } from '../../connection/transport.ts'
import { violationOf } from '../../connection/violation.ts'
import { denialRow } from '../../policy/denials.ts'
import { isReported } from '../../model/reporting.ts'
import type { Policy } from '../../policy/types.ts'

/** Fields of `ws` that its types leave out. */
interface Received {
  /** Its bound is low before authentication and raised after it. `errored` is the fault of the peer, if any. */
  _receiver?: Receiving | null
  readonly _socket?: Socket | null
}

interface Receiving {
  _maxPayload?: number
  /** True while the receiver parses the frames of one read in a loop. */
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
 * The transport of a guarded socket. It calls the methods of `ws`, not those of the guarded class. `limits`: whether the
 * bound on messages is set on the receiver; in report mode it is not.
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
      // Else the receiver would parse the rest of the same read.
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

/** Parses what was read before a pause. */
function takeApart(socket: WebSocket): void {
  const { _receiver } = socket as unknown as Received
  if (socket.isPaused || socket.readyState === socket.CLOSED || _receiver == null) return
  if (_receiver.errored == null && (_receiver._bufferedBytes ?? 0) > 0) _receiver.write?.(NOTHING)
}

/** The close code for an error of `ws` about a peer, and the error's own code for the log. */
export function faultOf(error: unknown): [closeCode: number, detail: string] {
  const code = String((error as { code?: unknown } | null)?.code)
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH')
    return [1009, code]
  if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return [1008, code]
  if (code === 'WS_ERR_INVALID_UTF8') return [1007, code]
  return [1002, code]
}

/**
 * The close code and reason for a peer that broke the protocol or a bound. `ws` itself gives no reason, and closes with 1008
 * for too many fragments. Undefined without a fault, and for a control in report mode.
 */
export function endOf(
  socket: object,
  policy: Pick<Policy, 'report'>,
): { readonly code: number | undefined; readonly reason: string } | undefined {
  const error = (socket as Received)._receiver?.errored
  if (!(error instanceof Error)) return undefined
  const { code } = violationOf(...faultOf(error))
  if (isReported(policy, denialRow(code).control)) return undefined
  return { code: denialRow(code).close, reason: code }
}
