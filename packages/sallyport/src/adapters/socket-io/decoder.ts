import type { DecoderLike, Packet, ServerInnards } from './server.ts'
import type { PacketStream } from './stream.ts'

type Listener = (packet: Packet) => void

/**
 * Gives every connection of a Socket.IO server a decoder that passes on only what the guard let pass. Socket.IO's own
 * decoder reads the packets. `entering` is the stream of the connection that Socket.IO sets up now. A connection without
 * one, as of another engine, receives nothing and is closed.
 */
export function guardDecoder(io: ServerInnards, entering: () => PacketStream | null): void {
  const { Decoder } = io._parser

  class GuardedDecoder implements DecoderLike {
    readonly #stream = entering()
    readonly #inner = new Decoder()
    readonly #listeners = new Set<Listener>()
    #decoded: Packet | null = null

    constructor() {
      this.#inner.on('decoded', packet => (this.#decoded = packet))
    }

    on(_event: 'decoded', listener: Listener): this {
      this.#listeners.add(listener)
      return this
    }

    removeListener(_event: 'decoded', listener: Listener): this {
      this.#listeners.delete(listener)
      return this
    }

    /** Throws for data that is no packet, and for a connection that no guard opened. Socket.IO then closes it. */
    add(data: unknown): void {
      if (this.#stream === null) throw new Error('SALLY_SESSION_MISSING')
      this.#stream.take(
        data,
        given => this.#decode(given),
        packet => this.#deliver(packet),
      )
    }

    destroy(): void {
      this.#inner.destroy()
    }

    #decode(data: unknown): Packet | null {
      this.#decoded = null
      this.#inner.add(data)
      return this.#decoded
    }

    #deliver(packet: Packet): void {
      for (const listener of this.#listeners) listener(packet)
    }
  }

  io._parser = { ...io._parser, Decoder: GuardedDecoder }
}
