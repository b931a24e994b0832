import type { HandshakeRequest } from '../model/handshake-request.ts'

/** Why a resolver of ours found nobody, by request: for the operator's log alone. */
const reasons = new WeakMap<HandshakeRequest, string>()

/** Answers "nobody" and notes why. The reason must hold nothing of the request. */
export function nobody(request: HandshakeRequest, reason: string): null {
  reasons.set(request, reason)
  return null
}

/** Why nobody was found; undefined where the resolver did not say. */
export function reasonOf(request: HandshakeRequest): string | undefined {
  return reasons.get(request)
}
