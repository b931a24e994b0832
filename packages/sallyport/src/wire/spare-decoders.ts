import { Decoder } from './decoder.ts'
import type { Inflate, WireLimits, WirePeer } from './limits.ts'
import type { WireSink } from './sink.ts'

/** One idle decoder per kind of peer. One read runs at a time, so one is nearly always enough. */
let ofClients: Decoder | null = null
let ofServers: Decoder | null = null

/** A decoder for the next message of `peer`. */
export function borrowDecoder(
  peer: WirePeer,
  limits: WireLimits,
  inflate: Inflate | undefined,
  sink: WireSink,
): Decoder {
  const lent = peer === 'client' ? ofClients : ofServers
  if (lent === null) return new Decoder({ peer, limits, inflate }, sink)
  if (peer === 'client') ofClients = null
  else ofServers = null
  lent.serve(sink, limits, inflate)
  return lent
}

/** Takes an idle decoder back. */
export function returnDecoder(peer: WirePeer, decoder: Decoder): void {
  if (peer === 'client') ofClients = decoder
  else ofServers = decoder
}
