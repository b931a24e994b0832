import type { IncomingMessage } from 'node:http'
import type { Admission } from '../../guard/admission.ts'
import type { Core } from '../../guard/core.ts'
import type { LiveConnection } from '../../connection/live-connection.ts'
import type { Inside } from '../../guard/registry.ts'
import type { Transport } from '../../connection/transport.ts'
import { guardDecoder } from './decoder.ts'
import type { EnginePacket, EngineSocketLike, ServerInnards, SocketIoServerLike } from './server.ts'
import { PacketStream, sizeOf, type StreamServices } from './stream.ts'

/** Admissions of the handshake door that no connection was opened for yet. */
export class Admissions {
  readonly #core: Core
  readonly #admissions = new WeakMap<IncomingMessage, Admission>()

  constructor(core: Core) {
    this.#core = core
  }

  keep(request: IncomingMessage, admission: Admission): void {
    this.#admissions.set(request, admission)
  }

  /** Hands out the admission of a request, once. */
  claim(request: IncomingMessage): Admission | undefined {
    const admission = this.#admissions.get(request)
    this.#admissions.delete(request)
    return admission
  }

  /** Gives its slots back where no connection claimed it. */
  giveUp(request: IncomingMessage): void {
    const admission = this.claim(request)
    if (admission !== undefined) this.#core.abandon(admission)
  }
}

/** What is told when a connection opens and ends. */
export interface Openings {
  readonly services: StreamServices
  opened(sid: string, stream: PacketStream): void
  ended(sid: string): void
}

/** Opens a guarded connection for each session of Engine.IO, and closes those that the handshake door did not let in. */
export function guardConnections(
  io: SocketIoServerLike,
  { core }: Inside,
  admissions: Admissions,
  { services, opened, ended }: Openings,
): void {
  /** The connection that Socket.IO sets up now, in its own listener, which runs next. */
  let entering: PacketStream | null = null
  guardDecoder(io as unknown as ServerInnards, () => entering)

  io.engine.prependListener('connection', given => {
    const socket = given as EngineSocketLike
    entering = null
    const admission = admissions.claim(socket.request)
    if (admission === undefined) {
      // A middleware before ours took it past the door.
      queueMicrotask(() => socket.close(true))
      return
    }
    const live: LiveConnection = core.open(
      admission,
      transportOf(socket, () => live.ponged()),
      { message: () => {} },
    )
    const stream = new PacketStream(live, socket, services)
    entering = stream
    queueMicrotask(() => {
      if (entering === stream) entering = null
    })
    opened(socket.id, stream)
    socket.on('packetCreate', (packet: EnginePacket) => stream.left(packet))
    socket.on('close', () => {
      ended(socket.id)
      live.closed(1006)
    })
    live.begin()
  })
}

function transportOf(socket: EngineSocketLike, ponged: () => void): Transport {
  let isSetUp = false
  queueMicrotask(() => (isSetUp = true))
  // `true` drops what waits to be sent: the peer no longer has a right to it.
  const end = (): void => {
    // Socket.IO misses an end that comes before it has set the connection up.
    if (isSetUp) socket.close(true)
    else queueMicrotask(() => socket.close(true))
  }
  return {
    get bufferedAmount() {
      return socket.writeBuffer.reduce((sum, { data }) => sum + sizeOf(data), 0)
    },
    // The guard's answers leave as events of Socket.IO, never as bare messages.
    sendText: () => {},
    sendBinary: () => {},
    ping: () => queueMicrotask(ponged),
    pause: () => {},
    resume: () => {},
    close: end,
    terminate: end,
    limit: () => {},
  }
}
