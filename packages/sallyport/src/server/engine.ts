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

/** Takes an `upgrade` event of an HTTP server, or of the first-bytes reader before it. */
export type EngineUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** What a connection is opened with, once the handshake door let it pass. */
export interface Opening {
  readonly socket: Socket
  /** Bytes that came behind the request. */
  readonly head: Buffer
  readonly delivery: Delivery
  /** The subprotocol to answer with; null for none. */
  readonly subprotocol: string | null
}

/** A connection and what it sends by. */
export interface Opened {
  readonly live: LiveConnection
  readonly transport: EngineSocket
}

/** Compiles what answers 101 and speaks from then on. */
export function createOpener(core: Core): (admission: Admission, opening: Opening) => Opened {
  const { policy } = core
  const { bytes, fragments, unauthenticatedBytes } = policy.message.size
  const greatest = Math.max(bytes, unauthenticatedBytes)
  const limits: WireLimits = { frameBytes: greatest, messageBytes: greatest, fragments }
  const deflate = extensions.compile(policy)
  core.restWith(EngineRequest)

  return (admission, { socket, head, delivery, subprotocol }) => {
    // By its lines: an object of all headers, once made, would be kept as long as the connection.
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
    // Replies of one turn leave in one write: none waits for the one before it.
    socket.setNoDelay(true)
    const transport = new EngineSocket(socket, limits, compression)
    transport.accept(answer)
    // What was answered, which an embedder may have left to its backend.
    admission.attempt.subprotocol = subprotocol
    const live = core.open(admission, transport, delivery)
    transport.start(live, head)
    live.begin()
    return { live, transport }
  }
}

/**
 * RFC 6455 server connections on the sockets of an HTTP server, each of them guarded: the handshake door decides, then
 * the wire speaks.
 */
export function createEngine(core: Core, delivery: Delivery): EngineUpgrade {
  return createReception(core, delivery).upgrade
}

/** Where handshakes come in: those that Node's parser read, and those that the first-bytes reader did. */
export interface Reception {
  readonly upgrade: EngineUpgrade
  /** Node's request is made where somebody asks for it, and for no refusal. */
  readonly read: ReadReceiver
}

/** {@link createEngine} with both of its entrances. */
export function createReception(core: Core, delivery: Delivery): Reception {
  const open = createOpener(core)
  return createReceiver(core, (admission, socket, head) => {
    open(admission, { socket, head, delivery, subprotocol: admission.attempt.subprotocol })
  })
}

/** Gets a handshake that passed, on a socket that is still there: to be opened, or abandoned. */
export type Taker = (admission: Admission, socket: Socket, head: Buffer) => void

/** Judges handshakes by the door: refuses them, or has them taken. */
export function createReceiver(core: Core, take: Taker): Reception {
  /** Whether it was answered at once. */
  const receive = (request: HandshakeRequest, socket: Socket, head: Buffer, bodied = false): boolean => {
    // Before anything is awaited: a peer that resets meanwhile must not end the process.
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
