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

/**
 * Thrown by a resolver that cannot tell who asks: the session store is down, the key set cannot be fetched. The door
 * answers 503. Unlike other errors its message is shown to the operator, so it must never hold anything of a request.
 */
export class SessionUnavailable extends Error {
  override readonly name: string = 'SessionUnavailable'
}
