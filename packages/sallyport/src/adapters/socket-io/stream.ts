import type { LiveConnection } from '../../connection/live-connection.ts'
import { denialRow } from '../../policy/denials.ts'
import { type Denial, deny, PASS, type Verdict } from '../../model/verdict.ts'
import type { PacketCase, PacketDoors } from './packets.ts'
import type { EnginePacket, EngineSocketLike, Packet, SocketIoServerLike } from './server.ts'
import { isBinaryPacket, namespaceOf, PACKET } from './text.ts'

/** Acknowledgements of one namespace that may be outstanding; the oldest are forgotten. */
const MOST_ASKED = 1000
/** Namespaces that one connection may join. */
const MOST_SPACES = 100
const LONGEST_NAMESPACE = 255
/** Data of an Engine.IO packet that carries no message: as a control frame of RFC 6455 §5.5. */
const MOST_CONTROL_BYTES = 125

const BINARY = deny('SALLY_MESSAGE_NOT_TEXT', { reason: 'packet' })
const MALFORMED = deny('SALLY_PROTOCOL_ERROR', { fault: 'not a Socket.IO packet' })
const NOT_ENGINE = deny('SALLY_PROTOCOL_ERROR', { fault: 'not an Engine.IO packet' })
const LONG_CONTROL = deny('SALLY_PROTOCOL_ERROR', {
  fault: `an Engine.IO control packet of more than ${MOST_CONTROL_BYTES} bytes`,
})
const SERVER_PACKET = deny('SALLY_PROTOCOL_ERROR', { fault: 'a Socket.IO packet that only a server sends' })
const TWICE = deny('SALLY_MESSAGE_TYPE', { reason: 'socket-io', fault: 'a second CONNECT to one namespace' })
const UNDECLARED = deny('SALLY_MESSAGE_TYPE', { reason: 'socket-io', fault: 'the namespace is not declared' })
const MANY_SPACES = deny('SALLY_MESSAGE_TYPE', {
  reason: 'socket-io',
  fault: `more than ${MOST_SPACES} namespaces on one connection`,
})

/** What all connections of a guarded Socket.IO server share. */
export interface StreamServices {
  readonly doors: PacketDoors
  readonly encoder: SocketIoServerLike['encoder']
  /** Whether a namespace is declared, or a pattern of the app may declare it. */
  isDeclared(namespace: string): boolean
}

/** Packets of one connection that are judged or wait. Socket.IO reads on meanwhile. */
interface Line {
  last: Promise<void> | null
  packets: number
  bytes: number
}

/** All packets that one connection receives, in order. Nothing reaches Socket.IO except through it. */
export class PacketStream {
  readonly live: LiveConnection
  readonly #socket: EngineSocketLike
  readonly #services: StreamServices
  /** Namespaces that were asked for or joined, each with the events that wait for an acknowledgement. */
  readonly #spaces = new Map<string, Map<number, string> | null>()
  #line: Line | null = null
  /** Pings of Engine.IO that were not answered yet. */
  #pings = 0

  constructor(live: LiveConnection, socket: EngineSocketLike, services: StreamServices) {
    this.live = live
    this.#socket = socket
    this.#services = services
  }

  /** Judges one packet of Engine.IO that is no message. Answers whether it passes on. */
  control({ type, data }: EnginePacket): boolean {
    const { live } = this
    if (type === 'error') live.end(NOT_ENGINE)
    else if (typeof data === 'string' && data.length > MOST_CONTROL_BYTES) live.end(LONG_CONTROL)
    else if (type === 'pong' && this.#pings > 0) this.#pings--
    else live.pinged()
    return live.readyState === 1
  }

  /** Notes a packet that leaves. */
  left({ type, data }: EnginePacket): void {
    if (type === 'ping') this.#pings++
    // A ping of Engine.IO is no activity of the app.
    if (type !== 'message') return
    this.live.sent(sizeOf(data))
    if (typeof data === 'string' && (data.startsWith('4') || data.startsWith('1')))
      this.#spaces.delete(namespaceOf(data))
  }

  /** The app sent an event that waits for an acknowledgement. */
  asks(namespace: string, id: number, event: string): void {
    if (!this.#spaces.has(namespace)) return
    let asked = this.#spaces.get(namespace) ?? null
    if (asked === null) this.#spaces.set(namespace, (asked = new Map()))
    if (asked.size >= MOST_ASKED) asked.delete(asked.keys().next().value!)
    asked.set(id, event)
  }

  /** Takes the data of one message. `decode` reads it with Socket.IO's own decoder, `deliver` hands a packet on. */
  take(data: unknown, decode: (data: unknown) => Packet | null, deliver: (packet: Packet) => void): void {
    const { live } = this
    if (live.readyState !== 1) return
    const { doors } = this.#services
    doors.received(sizeOf(data))
    live.lastMessageAt = doors.now()
    if (typeof data !== 'string' || isBinaryPacket(data)) live.end(BINARY)
    let packet: Packet | null
    try {
      packet = this.#isOpen() ? decode(data) : null
    } catch (error) {
      live.end(MALFORMED)
      if (this.#isOpen()) throw error
      return
    }
    if (packet === null) return
    // Only report mode lets a binary packet come so far.
    if (typeof data === 'string' && !isBinaryPacket(data)) this.#judgeInOrder(packet, data, deliver)
    else deliver(packet)
  }

  #isOpen(): boolean {
    return this.live.readyState === 1
  }

  /** Packets of one connection never overtake each other. */
  #judgeInOrder(packet: Packet, text: string, deliver: (packet: Packet) => void): void {
    let opened: PacketCase | null = null
    const judge = (): Verdict | Promise<Verdict> => {
      // It may have ended while the packet waited. Then nothing is judged.
      if (!this.#isOpen()) return PASS
      this.live.judgedAt = this.#services.doors.now()
      opened = this.#services.doors.open(packet, text, this.#asked(packet))
      return opened.judge(this.live)
    }
    const settle = (verdict: Verdict): void => {
      if (!this.#isOpen() || opened === null) return
      if (!verdict.pass) return this.#refuse(packet, verdict)
      if (!this.#enters(packet)) return
      opened.replace()
      deliver(packet)
    }
    const line = this.#line ?? { last: null, packets: 0, bytes: 0 }
    const verdict = line.last === null ? judge() : line.last.then(judge)
    if (!(verdict instanceof Promise)) return settle(verdict)
    line.packets++
    line.bytes += text.length
    const turn = verdict
      .then(settle)
      // The app's own code may throw when it gets a packet. Socket.IO closes for it too.
      .catch(() => this.#socket.close())
      .then(() => {
        line.packets--
        line.bytes -= text.length
        if (line.last === turn) this.#line = null
      })
    line.last = turn
    this.#line = line
    this.live.boundWaiting(line.packets, line.bytes)
  }

  /** The event that an acknowledgement answers. It is answered once. */
  #asked({ type, nsp, id }: Packet): string | undefined {
    if (type !== PACKET.ack || id === undefined) return undefined
    const asked = this.#spaces.get(nsp)
    const event = asked?.get(id)
    asked?.delete(id)
    return event
  }

  /** Judges what a packet does to the namespaces of its connection. */
  #enters({ type, nsp }: Packet): boolean {
    const { live } = this
    if (type === PACKET.connectError) live.end(SERVER_PACKET)
    else if (type === PACKET.disconnect) this.#spaces.delete(nsp)
    else if (type === PACKET.connect) {
      const denial = this.#refusalOfSpace(nsp)
      if (denial !== null && this.#services.doors.denied(denialRow(denial.code).control, denial, live)) {
        this.#refuse({ type, nsp }, denial)
        return false
      }
      this.#spaces.set(nsp, null)
    }
    return this.#isOpen()
  }

  #refusalOfSpace(namespace: string): Denial | null {
    if (this.#spaces.has(namespace)) return TWICE
    if (namespace.length > LONGEST_NAMESPACE || !this.#services.isDeclared(namespace)) return UNDECLARED
    return this.#spaces.size >= MOST_SPACES ? MANY_SPACES : null
  }

  /** Answers a packet that was refused, or ends the connection, as the denial's row says. */
  #refuse({ type, nsp }: Packet, denial: Denial): void {
    const { live } = this
    const row = denialRow(denial.code)
    if (row.control === 'message/rate' && this.#services.doors.dropsOverRate) return
    if (row.action !== 'reply') {
      live.close(row.close ?? 1008, denial.code)
      return
    }
    // The words of Socket.IO for a namespace that does not exist.
    const message = denial === UNDECLARED ? 'Invalid namespace' : denial.code
    // A client that connects twice got the answer to its first CONNECT.
    if (type === PACKET.connect && this.#spaces.has(nsp)) return live.strike()
    if (type === PACKET.connect)
      this.#send({ type: PACKET.connectError, nsp: nsp.slice(0, LONGEST_NAMESPACE), data: { message } })
    else if (this.#spaces.has(nsp)) this.#send({ type: PACKET.event, nsp, data: ['error', { code: denial.code }] })
    live.strike()
  }

  #send(packet: Packet): void {
    for (const part of this.#services.encoder.encode(packet as never)) this.#socket.write(part)
  }
}

/** Size of a packet's data: bytes, or characters of a text. */
export function sizeOf(data: unknown): number {
  return typeof data === 'string' ? data.length : ((data as { byteLength?: number } | undefined)?.byteLength ?? 0)
}
