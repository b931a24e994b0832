import type { Inflate, WireLimits, WirePeer } from './limits.ts'
import type { WireSink } from './sink.ts'

/** What a decoder is made of. */
export interface DecoderOptions {
  readonly peer: WirePeer
  readonly limits: WireLimits
  /** Present when permessage-deflate was negotiated; else a set RSV1 is refused. */
  readonly inflate?: Inflate | undefined
}

const BOUNDS = ['frameBytes', 'messageBytes', 'fragments'] as const
const METHODS = ['text', 'binary', 'pinged', 'ponged', 'closing', 'fault'] as const

/**
 * Throws a `TypeError` for what a decoder would be open with: a bound that is missing holds nothing back, and frames of a
 * peer by another name than `client` need no mask.
 */
export function requireDecoderOptions(options: DecoderOptions, sink: WireSink): void {
  const { peer, limits, inflate } =
    (options as DecoderOptions | undefined) ?? misuse('options', options, '{ peer, limits }')
  if (peer !== 'client' && peer !== 'server') misuse('peer', peer, "'client' or 'server'")
  for (const bound of BOUNDS) {
    const value: unknown = limits?.[bound]
    // Infinity is a decision, NaN and text are none.
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
