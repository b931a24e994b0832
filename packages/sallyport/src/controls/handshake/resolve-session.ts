import type { ControlContext } from '../context.ts'
import { after } from '../../model/after.ts'
import type { HandshakeOf } from './handshake-control.ts'
import { isReported, type Reporting } from '../../model/reporting.ts'
import { type Code, type Awaitable, type Denial, deny } from '../../model/verdict.ts'
import { type QuestionPolicy, questionKey } from '../../session/credential.ts'
import { LookupRefused } from '../../session/lookup-question.ts'
import { reasonOf, SessionUnavailable } from '../../session/no-session.ts'
import type { Session } from '../../model/session.ts'
import { isOfName } from '../../store/named-store.ts'
import { latestRevocation } from '../../store/marks.ts'
import type { Revocation } from '../../model/store.ts'
import type { Attempt } from '../../model/attempt.ts'
import type { HandshakeRequest } from '../../model/handshake-request.ts'
import { isGone } from '../../request/peer-request.ts'

/** A valid session, or the reason why there is none. */
export type Resolution = { readonly session: Session } | Denial

/** What of a policy says whether strangers wait for their look-ups. */
type PacePolicy = HandshakeOf<{ rate: object | null }> & Reporting

/** What of a policy says how a session is found. */
export type SessionPolicy = QuestionPolicy & PacePolicy & { readonly timeoutMs: number }

/** The part of the context that resolving needs. */
type SessionParts = Pick<ControlContext, 'store' | 'now' | 'marks' | 'found' | 'lookups' | 'proofs'>

/** The codes for a credential without a session. */
const NOBODY: ReadonlySet<Code> = new Set(['SALLY_SESSION_MISSING', 'SALLY_SESSION_EXPIRED', 'SALLY_SESSION_REVOKED'])

const MOST_CHARS = 512
/** Most characters of a fault that are shown to the operator. */
const MOST_SHOWN = 200
/** Times below this are in seconds. Read as ms they would lie in 1973. */
const SECONDS_BELOW = 100_000_000_000

/** The session of an anonymous connection. The user is its address. */
export function anonymousSession({ id, request }: Attempt): Session {
  return { id, user: `ip:${request.ip}` }
}

/** The session of a ticket request if the policy is `dangerouslyAnonymous`. The ticket is bound to the address. */
export function addressSession({ ip }: HandshakeRequest): Session {
  return { id: `ip:${ip}`, user: `ip:${ip}` }
}

/** Whether strangers wait for their look-ups. They do not if `handshake/rate` is off or only reports. */
export function isPaced(policy: PacePolicy): boolean {
  return policy.handshake.rate !== null && !isReported(policy, 'handshake/rate')
}

/** How a session is requested. */
export interface Asking {
  /** The queue of look-ups to wait in: see `LookupQueue`. */
  readonly standing: 'known' | 'stranger'
  /** The result of `Proofs.credentialOf` for the request. Undefined if it was not called. */
  readonly credential?: string | null
  /** Whether the caller already holds a place in the queue. */
  readonly inTurn?: boolean
}

/**
 * Finds the session of a request and checks its expiry and the revocations. Never throws. The look-up waits in
 * `parts.lookups`: strangers wait some seconds at most, known users as long as needed. With an anonymous policy the
 * session is the address, the same for each of its requests.
 *
 * With `current` it checks whether the session of an open connection is still valid, by the resolver's `recheck` or
 * else by the resolver itself. If another session or user is found (a new sign-in with the same cookie), the session is
 * not valid.
 */
export function resolveSession(
  policy: SessionPolicy,
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

/** An accepted credential becomes proven. A refused one loses that. "Cannot decide" changes nothing. */
function noteProof({ proofs }: SessionParts, credential: string, resolution: Resolution): void {
  if ('session' in resolution) proofs.accept(credential, resolution.session)
  else if (NOBODY.has(resolution.code)) proofs.forget(credential)
}

/** Whether both are the same session of the same user. Other fields are ignored. */
export function isSame(one: Session, other: Session): boolean {
  return one.id === other.id && one.user === other.user
}

function settle(
  look: () => Awaitable<unknown>,
  policy: SessionPolicy,
  parts: SessionParts,
  request: HandshakeRequest,
  current: Session | null,
  { standing, inTurn = false }: Asking,
  credential: string | null,
): Awaitable<Resolution> {
  const { lookups } = parts
  // A synchronous resolver never runs twice at one time, so it needs no key. Each request without a credential is a
  // separate client.
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

function refusedLookup({ fault, retryAfterMs }: LookupRefused, { timeoutMs }: SessionPolicy): Denial {
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

/**
 * Without `issuedAt` a session cannot be compared with the time of a user's revocation. The revocation then ends
 * connections and tickets, but not a later sign-in.
 */
function isRevoked({ issuedAt }: Session, revocation: Revocation | null): boolean {
  if (revocation === null) return false
  return (
    revocation.session !== null || (revocation.user !== null && issuedAt !== undefined && issuedAt <= revocation.user)
  )
}

/** What is wrong with a resolver's answer, without showing its values. Null if it is correct. */
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
  // Seconds read as ms lie in the past. A revocation of the user would then end every later sign-in too.
  if (issuedAt !== undefined && issuedAt > 0 && issuedAt < SECONDS_BELOW) {
    return 'issuedAt is in seconds; write ms since the epoch: seconds * 1000'
  }
  return null
}

/** The message of an app's error may quote cookies or keys. So only its name is reported. */
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
