import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isAnswering } from '../node/answering.ts'
import type { Admission, Admittance } from '../guard/admission.ts'
import type { Core } from '../guard/core.ts'
import type { Delivery } from '../connection/services.ts'
import { extensions } from '../controls/handshake/extensions.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { acceptAnswer, agreeDeflate, type DeflateAgreement, readExtensions, type WireLimits } from '../wire/index.ts'
import type { ReadReceiver } from '../node/first-bytes-reader.ts'
import { refuseSocket } from '../node/refuse-socket.ts'
import { EngineRequest } from '../node/upgrade-request.ts'
import { EngineSocket } from './engine-socket.ts'
import type { LiveConnection } from '../connection/live-connection.ts'
import { BODY_REFUSED, hasBodyUnderWay, socketOf } from '../node/upgrade-socket.ts'

const NO_HEAD = Buffer.alloc(0)

/** Takes an `upgrade` event from an HTTP server or from its first-bytes reader. */
export type EngineUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** The parameters for opening an admitted connection. */
export interface Opening {
  readonly socket: Socket
  /** Bytes that followed the request. */
  readonly head: Buffer
  readonly delivery: Delivery
  /** The subprotocol of the answer. Null for none. */
  readonly subprotocol: string | null
}

/** A connection and its transport. */
export interface Opened {
  readonly live: LiveConnection
  readonly transport: EngineSocket
}

/** Compiles the function that answers 101 and opens the connection. */
export function createOpener(core: Core): (admission: Admission, opening: Opening) => Opened {
  const { policy } = core
  const { bytes, fragments, unauthenticatedBytes } = policy.message.size
  const greatest = Math.max(bytes, unauthenticatedBytes)
  const limits: WireLimits = { frameBytes: greatest, messageBytes: greatest, fragments }
  const deflate = extensions.compile(policy)
  core.restWith(EngineRequest)

  return (admission, { socket, head, delivery, subprotocol }) => {
    // Read from the lines. An object with all headers would be kept as long as the connection.
    const { request } = admission.attempt
    const agreement = deflate === null ? null : agree(request, deflate.windowBits)
    const compression =
      deflate === null || agreement === null
        ? null
        : { threshold: deflate.threshold, windowBits: agreement.serverWindowBits }
    const answer = acceptAnswer(request.header('sec-websocket-key') ?? '', {
      ...(subprotocol !== null && { 'Sec-WebSocket-Protocol': subprotocol }),
      ...(agreement !== null && { 'Sec-WebSocket-Extensions': agreement.response }),
    })
    // The replies of one turn leave in one write, and none waits for the acknowledgement of an earlier one.
    socket.setNoDelay(true)
    const transport = new EngineSocket(socket, limits, compression)
    transport.accept(answer)
    // The subprotocol that was answered. An embedder may have left the choice to its backend.
    admission.attempt.subprotocol = subprotocol
    const live = core.open(admission, transport, delivery)
    transport.start(live, head)
    live.begin()
    return { live, transport }
  }
}

/**
 * Guarded RFC 6455 connections on the sockets of an HTTP server. The handshake door decides, then the wire takes over.
 */
export function createEngine(core: Core, delivery: Delivery): EngineUpgrade {
  return createReception(core, delivery).upgrade
}

/** The ways in for handshakes: those that Node's parser read, and those that the first-bytes reader read. */
export interface Reception {
  readonly upgrade: EngineUpgrade
  /** Node's request is created only if code asks for it. A refusal does not need it. */
  readonly read: ReadReceiver
}

/** {@link createEngine} with both ways in. */
export function createReception(core: Core, delivery: Delivery): Reception {
  const open = createOpener(core)
  return createReceiver(core, (admission, socket, head) => {
    open(admission, { socket, head, delivery, subprotocol: admission.attempt.subprotocol })
  })
}

/** Gets an admitted handshake whose socket is still open. It must open or abandon the admission. */
export type Taker = (admission: Admission, socket: Socket, head: Buffer) => void

/** Judges handshakes by the door. Refuses them, or gives them to `take`. */
export function createReceiver(core: Core, take: Taker): Reception {
  /** Returns whether the handshake was decided at once. */
  const receive = (request: HandshakeRequest, socket: Socket, head: Buffer, bodied = false): boolean => {
    // Set before anything is awaited. Otherwise a peer that resets the connection would end the process.
    if (socket.listenerCount('error') === 0) socket.on('error', destroy)
    const conclude = (answer: Admittance): void => {
      if (!answer.pass) refuseSocket(socket, answer)
      else if (socket.destroyed || bodied) {
        core.abandon(answer)
        refuseSocket(socket, BODY_REFUSED)
      } else take(answer, socket, head)
    }
    const answer = core.admit(request, head.length > 0 || isAnswering(socket))
    if (answer instanceof Promise) {
      void answer.then(conclude)
      return false
    }
    conclude(answer)
    return true
  }
  return {
    upgrade: (request, stream, head) =>
      void receive(core.fromNode(request), socketOf(request, stream), head, hasBodyUnderWay(request)),
    read(upgrade, socket) {
      if (!receive(core.fromRead(upgrade, socket, EngineRequest), socket, NO_HEAD)) socket.pause()
    },
  }
}

function agree(request: HandshakeRequest, windowBits: number): DeflateAgreement | null {
  const offers = readExtensions(request.header('sec-websocket-extensions') ?? '')
  return offers === null ? null : agreeDeflate(offers, windowBits)
}

function destroy(this: Socket): void {
  this.destroy()
}
