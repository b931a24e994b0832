import type { ControlContext } from '../context.ts'
import { after } from '../../model/after.ts'
import type { DenialCode } from '../../model/denials.ts'
import { isReported } from '../../model/reporting.ts'
import { type Awaitable, type Denial, deny } from '../../model/verdict.ts'
import type { Policy } from '../../model/policy.ts'
import { questionKey } from '../../session/credential.ts'
import { LookupRefused } from '../../session/lookup-question.ts'
import { reasonOf } from '../../session/nobody.ts'
import type { Session } from '../../model/session.ts'
import { SessionUnavailable } from '../../session/unavailable.ts'
import { isOfName } from '../../store/named-store.ts'
import { latestRevocation } from '../../store/marks.ts'
import type { Revocation } from '../../model/store.ts'
import type { Attempt } from '../../model/attempt.ts'
import type { HandshakeRequest } from '../../model/handshake-request.ts'
import { isGone } from '../../request/peer-request.ts'

/** A session that holds, or why there is none. */
export type Resolution = { readonly session: Session } | Denial

/** What resolving needs of the parts. */
type SessionParts = Pick<ControlContext, 'store' | 'now' | 'marks' | 'found' | 'lookups' | 'proofs'>

/** Codes that say that the credential is no session's. */
const NOBODY: ReadonlySet<DenialCode> = new Set([
  'SALLY_SESSION_MISSING',
  'SALLY_SESSION_EXPIRED',
  'SALLY_SESSION_REVOKED',
])

const MOST_CHARS = 512
/** Characters of a fault that the operator is shown. */
const MOST_SHOWN = 200
/** Times below this are seconds: as ms they would be in 1973. */
const SECONDS_BELOW = 100_000_000_000

/** Who an anonymous connection acts for: itself, from its address. */
export function anonymousSession({ id, request }: Attempt): Session {
  return { id, user: `ip:${request.ip}` }
}

/** Who asks for a ticket, and who it is bound to, where the policy is `dangerouslyAnonymous`: the address. */
export function addressSession({ ip }: HandshakeRequest): Session {
  return { id: `ip:${ip}`, user: `ip:${ip}` }
}

/** Whether strangers wait for their look-ups: not where `handshake/rate` is off or only reports. */
export function isPaced(policy: Policy): boolean {
  return policy.handshake.rate !== null && !isReported(policy, 'handshake/rate')
}

/** How a session is asked for. */
export interface Asking {
  /** Whose turn it is in the queue of look-ups: see `LookupQueue`. */
  readonly standing: 'known' | 'stranger'
  /** What `Proofs.credentialOf` answered for the request; undefined where it was not asked. */
  readonly credential?: string | null
  /** The caller holds a slot of the queue already. */
  readonly inTurn?: boolean
}

/**
 * Finds the session of a request and holds it against its expiry and the revocations. Never throws. The look-up waits for
 * its turn in `parts.lookups`: strangers at most some seconds, known users as long as it takes. With an anonymous
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
  asking: Asking = { standing: current === null ? 'stranger' : 'known' },
): Awaitable<Resolution> {
  const resolver = policy.handshake.session
  if (resolver === null) return { session: current ?? addressSession(request) }
  const { proofs } = parts
  const credential = asking.credential === undefined ? proofs.credentialOf(request) : asking.credential
  if (credential === null && proofs.needsCredential) {
    return deny('SALLY_SESSION_MISSING', { reason: 'nobody-because', why: 'the request shows no credential' })
  }
  const look = (): Awaitable<unknown> =>
    current !== null && resolver.recheck ? resolver.recheck(current, request) : resolver(request)
  return after(settle(look, policy, parts, request, current, asking, credential), resolution => {
    if (credential !== null) noteProof(parts, credential, resolution)
    return current !== null && 'session' in resolution && !isSame(resolution.session, current)
      ? deny('SALLY_SESSION_MISSING', { reason: 'another' })
      : resolution
  })
}

/** A credential that was accepted is proven; one that is refused is proven no longer. "Cannot tell" changes nothing. */
function noteProof({ proofs }: SessionParts, credential: string, resolution: Resolution): void {
  if ('session' in resolution) proofs.accept(credential, resolution.session)
  else if (NOBODY.has(resolution.code)) proofs.forget(credential)
}

/** Whether both are one session of one user, whatever else is in them. */
export function isSame(one: Session, other: Session): boolean {
  return one.id === other.id && one.user === other.user
}

function settle(
  look: () => Awaitable<unknown>,
  policy: Policy,
  parts: SessionParts,
  request: HandshakeRequest,
  current: Session | null,
  { standing, inTurn = false }: Asking,
  credential: string | null,
): Awaitable<Resolution> {
  const { lookups } = parts
  // What answers at once never runs twice at one time. Of those who show nothing each is somebody else.
  const key =
    credential !== null && !inTurn && lookups.sharing
      ? `${current === null ? '' : `${current.id}\n${current.user}`}\n${questionKey(request, policy, credential)}`
      : null
  const ask = (): Awaitable<unknown> =>
    inTurn
      ? look()
      : lookups.ask({ ip: request.ip, standing, key, look, failed: isNobody, wanted: () => !isGone(request) })
  return guarded(
    () => after(ask(), found => judge(found, parts, request)),
    error =>
      error instanceof LookupRefused
        ? refusedLookup(error, policy)
        : deny('SALLY_SESSION_UNAVAILABLE', { reason: 'threw', error: nameOf(error) }),
  )
}

const isNobody = (found: unknown): boolean => found === null || found === undefined

function refusedLookup({ fault, retryAfterMs }: LookupRefused, { timeoutMs }: Policy): Denial {
  if (fault === 'timeout') {
    return deny('SALLY_CONTROL_TIMEOUT', { reason: 'control', control: 'handshake.session', timeoutMs })
  }
  return deny('SALLY_HANDSHAKE_RATE', { reason: fault }, Math.max(1, Math.ceil(retryAfterMs / 1000)))
}

function judge(found: unknown, parts: SessionParts, request: HandshakeRequest): Awaitable<Resolution> {
  if (isNobody(found)) {
    const why = reasonOf(request)
    return why === undefined
      ? deny('SALLY_SESSION_MISSING', { reason: 'nobody' })
      : deny('SALLY_SESSION_MISSING', { reason: 'nobody-because', why })
  }
  const fault = faultOf(found)
  if (fault !== null) return deny('SALLY_SESSION_UNAVAILABLE', { reason: 'answer', fault })
  const candidate = found as Session
  if (candidate.expiresAt !== undefined && candidate.expiresAt <= parts.now()) {
    return deny('SALLY_SESSION_EXPIRED')
  }
  return guarded(
    () =>
      after(latestRevocation(parts, candidate.id, candidate.user), revocation => {
        if (isRevoked(candidate, revocation)) {
          return deny('SALLY_SESSION_REVOKED', { reason: 'revoked' })
        }
        parts.found?.(candidate)
        return { session: candidate }
      }),
    error => deny('SALLY_STORE_UNAVAILABLE', { reason: 'revocations', error: nameOf(error) }),
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
  const { issuedAt } = found as Partial<Session>
  // Each revocation of its user would end every later sign-in too, for as long as it is remembered.
  if (issuedAt !== undefined && issuedAt > 0 && issuedAt < SECONDS_BELOW) {
    return 'issuedAt is in seconds; write ms since the epoch: seconds * 1000'
  }
  return null
}

/** Errors of others may quote cookies or keys: their name is all that is told. */
function nameOf(error: unknown): string {
  if (error instanceof SessionUnavailable) return `SessionUnavailable: ${error.message}`.slice(0, MOST_SHOWN)
  return error instanceof Error && /^\w{1,64}$/.test(error.name) ? error.name : typeof error
}

function guarded<R>(work: () => Awaitable<R>, failed: (error: unknown) => R): Awaitable<R> {
  try {
    const answer = work()
    return answer instanceof Promise ? answer.catch(failed) : answer
  } catch (error) {
    return failed(error)
  }
}
