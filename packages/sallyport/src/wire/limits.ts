import type { WireFault } from './faults.ts'

/**
 * What a decoder accepts. Each bound holds before memory is spent: a header alone can refuse. Control frames are at most
 * 125 bytes and are told one by one: how many come in what time the sink counts, which has a clock.
 */
export interface WireLimits {
  /** Greatest payload of one data frame, in bytes as sent. */
  readonly frameBytes: number
  /** Greatest message, in bytes as sent and, when compressed, in bytes after inflation too. */
  readonly messageBytes: number
  /** Greatest number of frames of one message, empty ones included. */
  readonly fragments: number
}

/** Who the decoder listens to: frames of a client must be masked, those of a server must not be (RFC 6455 §5.1). */
export type WirePeer = 'client' | 'server'

/** Inflates one compressed message to at most `maxBytes`; a fault when it is broken or larger. */
export type Inflate = (compressed: Buffer, maxBytes: number) => Buffer | WireFault

/** Which end of a connection: a server reads masked frames and writes bare ones, a client the reverse (RFC 6455 §5.1). */
export type EndpointRole = 'server' | 'client'

/** How an endpoint compresses what it sends, once permessage-deflate was agreed. */
export interface EndpointDeflate {
  /** Messages below this many bytes are sent uncompressed. */
  readonly threshold: number
  readonly windowBits: number
}
