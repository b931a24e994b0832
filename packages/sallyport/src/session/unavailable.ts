/**
 * Thrown by a resolver that cannot tell who asks: the session store is down, the key set cannot be fetched. The door
 * answers 503. Unlike other errors its message is shown to the operator, so it must never hold anything of a request.
 */
export class SessionUnavailable extends Error {
  override readonly name: string = 'SessionUnavailable'
}
