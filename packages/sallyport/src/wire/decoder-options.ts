import type { Inflate, WireLimits, WirePeer } from './limits.ts'
import type { WireSink } from './sink.ts'

/** The parameters of a decoder. */
export interface DecoderOptions {
  readonly peer: WirePeer
  readonly limits: WireLimits
  /** Present if permessage-deflate was negotiated. Without it a set RSV1 bit is refused. */
  readonly inflate?: Inflate | undefined
}

const BOUNDS = ['frameBytes', 'messageBytes', 'fragments'] as const
const METHODS = ['text', 'binary', 'pinged', 'ponged', 'closing', 'fault'] as const

/**
 * Throws a `TypeError` for options that would disable a check: a missing bound limits nothing, and frames of a peer
 * other than `client` need no mask.
 */
export function requireDecoderOptions(options: DecoderOptions, sink: WireSink): void {
  const { peer, limits, inflate } =
    (options as DecoderOptions | undefined) ?? misuse('options', options, '{ peer, limits }')
  if (peer !== 'client' && peer !== 'server') misuse('peer', peer, "'client' or 'server'")
  for (const bound of BOUNDS) {
    const value: unknown = limits?.[bound]
    // Infinity may be chosen on purpose. NaN and text cannot.
    if (typeof value !== 'number' || !(value >= 0)) misuse(`limits.${bound}`, value, 'a number of 0 or more')
  }
  if (inflate !== undefined && typeof inflate !== 'function') misuse('inflate', inflate, 'a function')
  for (const method of METHODS) {
    if (typeof sink?.[method] !== 'function') misuse(`${method} of the sink`, sink?.[method], 'a function')
  }
}

function misuse(key: string, value: unknown, write: string): never {
  const shown =
    typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value === 'object' && value !== null
        ? 'an object'
        : String(value)
  throw new TypeError(`Decoder: ${key} is ${shown}; write ${write}`)
}
