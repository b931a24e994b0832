import type { Parts } from '../guard/parts.ts'
import { isThenable } from '../policy/thenable.ts'
import { type Awaitable, type Denial, deny, PASS, type Verdict } from '../policy/verdict.ts'
import type { Policy } from '../policy/types.ts'
import { reasonOf } from '../session/nobody.ts'
import type { Session } from '../session/session.ts'
import { SessionUnavailable } from '../session/unavailable.ts'
import { isOfName } from '../store/named-store.ts'
import { latestRevocation } from '../store/marks.ts'
import type { Revocation } from '../store/store.ts'
import type { HandshakeControl } from './handshake-control.ts'
import type { HandshakeRequest } from './handshake-request.ts'

/** A session that holds, or why there is none. */
export type Resolution = { readonly session: Session } | Denial

/** What resolving needs of the parts. */
type SessionParts = Pick<Parts, 'store' | 'now' | 'marks' | 'found'>

const MOST_CHARS = 512

/**
 * No handshake without the session that the HTTP side would find (seed: authenticate the handshake; ASVS 4.4.3). A
 * resolver or store that fails is 503, never an anonymous connection.
 */
export const session: HandshakeControl = {
  id: 'handshake/session',
  compile(policy, parts) {
    if (policy.handshake.session === null) {
      return attempt => {
        attempt.session = { id: attempt.id, user: `ip:${attempt.request.ip}` }
        return PASS
      }
    }
    return attempt =>
      then(resolveSession(policy, parts, attempt.request), (resolution): Verdict => {
        if (!('session' in resolution)) return resolution
        attempt.session = resolution.session
        return PASS
      })
  },
}

/** Who asks for a ticket, and who it is bound to, where the policy is `dangerouslyAnonymous`: the address. */
export function addressSession({ ip }: HandshakeRequest): Session {
  return { id: `ip:${ip}`, user: `ip:${ip}` }
}

/**
 * Finds the session of a request and holds it against its expiry and the revocations. Never throws. With an anonymous
 * policy the session is the address, the same for each request from it.
 *
 * With `current` it checks again that the session of a living connection holds: by the resolver's `recheck`, else by the
 * resolver itself. Another session or user than the connection was opened for (a new sign-in on the same cookie) is none.
 */
export function resolveSession(
  policy: Policy,
  parts: SessionParts,
  request: HandshakeRequest,
  current: Session | null = null,
): Awaitable<Resolution> {
  const resolver = policy.handshake.session
  if (resolver === null) return { session: current ?? addressSession(request) }
  if (current === null) return settle(() => resolver(request), parts, request)
  const again = settle(
    () => (resolver.recheck ? resolver.recheck(current, request) : resolver(request)),
    parts,
    request,
  )
  return then(again, resolution =>
    'session' in resolution && !isSame(resolution.session, current)
      ? deny('SALLY_SESSION_MISSING', 'the request now resolves to another session or user')
      : resolution,
  )
}

/** Whether both are one session of one user, whatever else is in them. */
export function isSame(one: Session, other: Session): boolean {
  return one.id === other.id && one.user === other.user
}

function settle(look: () => unknown, parts: SessionParts, request: HandshakeRequest): Awaitable<Resolution> {
  return guarded(
    () => then(look(), found => judge(found, parts, request)),
    error => deny('SALLY_SESSION_UNAVAILABLE', `handshake.session threw ${nameOf(error)}`),
  )
}

function judge(found: unknown, parts: SessionParts, request: HandshakeRequest): Awaitable<Resolution> {
  if (found === null || found === undefined) {
    const reason = reasonOf(request)
    return deny('SALLY_SESSION_MISSING', `handshake.session found nobody${reason === undefined ? '' : `: ${reason}`}`)
  }
  const fault = faultOf(found)
  if (fault !== null) return deny('SALLY_SESSION_UNAVAILABLE', `handshake.session answered a session whose ${fault}`)
  const candidate = found as Session
  if (candidate.expiresAt !== undefined && candidate.expiresAt <= parts.now()) {
    return deny('SALLY_SESSION_EXPIRED', 'the session is past its expiresAt')
  }
  return guarded(
    () =>
      then(latestRevocation(parts, candidate.id, candidate.user), revocation => {
        if (isRevoked(candidate, revocation)) {
          return deny('SALLY_SESSION_REVOKED', 'the session or its user was revoked')
        }
        parts.found?.(candidate)
        return { session: candidate }
      }),
    error => deny('SALLY_STORE_UNAVAILABLE', `store.revokedAt threw ${nameOf(error)}`),
  )
}

/** Where `issuedAt` is not known a user's revocation cannot be placed: it ends connections and tickets, not the sign-in after it. */
function isRevoked({ issuedAt }: Session, revocation: Revocation | null): boolean {
  if (revocation === null) return false
  return (
    revocation.session !== null || (revocation.user !== null && issuedAt !== undefined && issuedAt <= revocation.user)
  )
}

/** What is wrong with a resolver's answer, without showing it; null where nothing is. */
function faultOf(found: unknown): string | null {
  if (typeof found !== 'object' || found === null) return `type is ${typeof found}, not an object`
  for (const key of ['id', 'user'] as const) {
    const value: unknown = (found as Partial<Session>)[key]
    if (typeof value !== 'string') return `${key} is ${typeof value}, not a string`
    if (value === '' || value.length > MOST_CHARS)
      return `${key} is ${value.length} characters; 1 to ${MOST_CHARS} are allowed`
    if (isOfName(value)) return `${key} is a text that the store keeps for itself`
  }
  for (const key of ['expiresAt', 'issuedAt'] as const) {
    const value: unknown = (found as Partial<Session>)[key]
    if (value !== undefined && !Number.isFinite(value)) return `${key} is no finite number of milliseconds`
  }
  return null
}

/** Errors of others may quote cookies or keys: their name is all that is told. */
function nameOf(error: unknown): string {
  if (error instanceof SessionUnavailable) return `SessionUnavailable: ${error.message}`
  return error instanceof Error && /^\w{1,64}$/.test(error.name) ? error.name : typeof error
}

/** Goes on at once with a value, later with a promise's. */
function then<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isThenable(value) ? awaited(value, next) : next(value)
}

async function awaited<T, R>(value: Promise<T>, next: (value: T) => Awaitable<R>): Promise<R> {
  return next(await value)
}

function guarded<R>(work: () => Awaitable<R>, failed: (error: unknown) => R): Awaitable<R> {
  try {
    const answer = work()
    return answer instanceof Promise ? answer.catch(failed) : answer
  } catch (error) {
    return failed(error)
  }
}
