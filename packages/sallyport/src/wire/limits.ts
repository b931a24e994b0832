import type { WireFault } from './faults.ts'

/**
 * The bounds of a decoder. Each is checked before memory is used: a header alone can be refused. Control frames have at
 * most 125 bytes and are delivered one by one. The sink has a clock, so it bounds their rate.
 */
export interface WireLimits {
  /** Greatest payload of one data frame, in bytes as sent. */
  readonly frameBytes: number
  /** Greatest message, in bytes as sent, and for a compressed message also in bytes after inflation. */
  readonly messageBytes: number
  /** Greatest number of frames of one message, empty ones included. */
  readonly fragments: number
}

/** The sender of the frames. Frames of a client must be masked, those of a server must not be (RFC 6455 §5.1). */
export type WirePeer = 'client' | 'server'

/** Inflates one compressed message to at most `maxBytes`. Returns a fault if it is broken or larger. */
export type Inflate = (compressed: Buffer, maxBytes: number) => Buffer | WireFault

/** Which end of a connection: a server reads masked frames and writes bare ones, a client the reverse (RFC 6455 §5.1). */
export type EndpointRole = 'server' | 'client'

/** How an endpoint compresses what it sends, once permessage-deflate was agreed. */
export interface EndpointDeflate {
  /** Messages below this many bytes are sent uncompressed. */
  readonly threshold: number
  readonly windowBits: number
}
