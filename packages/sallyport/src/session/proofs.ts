import type { HandshakeRequest } from '../model/handshake-request.ts'
import { after } from '../model/after.ts'
import type { Randomness } from '../model/runtime.ts'
import type { Awaitable } from '../model/verdict.ts'
import { latestRevocation, type MarkedStore } from '../store/marks.ts'
import { createRemembered } from '../store/remembered.ts'
import type { Revocation, Store } from '../model/store.ts'
import { createHmacSha256, HMAC_HEAD_BYTES } from './hmac.ts'
import { createCredentialReader, type CredentialPolicy } from './credential.ts'
import type { Session } from '../model/session.ts'

/** How long a credential counts as proven after a resolver accepted it, in ms. */
export const PROOF_MS = 900_000
/** Accepted again within this time, it is not written again. */
const FRESH_MS = 300_000
/** Remembered on this node at most: about 300 bytes each. */
const MOST_HERE = 50_000
/**
 * Remembered of one user at least; twice the connections of a user where that is more. Whoever adds junk to the Cookie header
 * has a new credential each time, and must not push out those of others.
 */
const LEAST_OF_USER = 64
const DOMAIN = 'sallyport credential\0'
const DIGEST_BYTES = 32
/** 144 bits. */
const KEY_BYTES = 18

/** What is known of a credential that was accepted. */
export interface Proof {
  readonly session: string
  readonly user: string
  /** Ms since the epoch. */
  readonly at: number
}

/** Remembers which credentials were accepted lately, by keyed hashes. It never decides who somebody is. */
export interface Proofs {
  /** True where the resolver says what it reads: a request without that is nobody. */
  readonly needsCredential: boolean
  /** A keyed hash of what the request shows to say who it is; null where it shows nothing. */
  credentialOf(request: HandshakeRequest): string | null
  /** The user of a credential that was accepted within {@link PROOF_MS} and not revoked since; null also where the store cannot tell. */
  recall(credential: string): Awaitable<Proof | null>
  accept(credential: string, session: Session): void
  forget(credential: string): void
}

/** What of a policy says how proofs are kept. */
export interface ProofsPolicy extends CredentialPolicy {
  readonly handshake: CredentialPolicy['handshake'] & {
    readonly connections: { readonly perUser: number } | null
    readonly ticket: { readonly secrets: readonly string[] | null } | null
  }
  readonly store: Store | null
}

/** The proofs of one guard, in its store where that is shared and can remember. */
export function createProofs(
  policy: ProofsPolicy,
  { store, now, marks = null }: MarkedStore,
  { randomBytes }: Pick<Randomness, 'randomBytes'>,
): Proofs {
  const read = createCredentialReader(policy)
  const here = createRemembered(MOST_HERE)
  const mostOfUser = Math.max(LEAST_OF_USER, 2 * (policy.handshake.connections?.perUser ?? 0))
  /** The credentials of each user, the latest last; the user that was accepted last is the last one. */
  const ofUsers = new Map<string, string[]>()
  const shared =
    policy.store !== null && store.remember !== undefined && store.recall !== undefined && store.forget !== undefined
      ? (store as Required<Pick<Store, 'remember' | 'recall' | 'forget'>>)
      : null
  // Nodes that share a store must hash alike. A store that leaves the process hashes its keys under its own secret.
  const secret = policy.handshake.ticket?.secrets?.[0] ?? (shared === null ? randomBytes(DIGEST_BYTES) : DOMAIN)
  const hmac = createHmacSha256(Buffer.from(secret))
  const digest = Buffer.alloc(DIGEST_BYTES)

  /** What cannot be read proves nothing. */
  const readSafely = (request: HandshakeRequest): string | null => {
    try {
      return read(request)
    } catch {
      return null
    }
  }
  const known = (credential: string): Proof | null => proofOf(here.get(credential, now()))

  const forget = (credential: string): void => {
    here.delete(credential)
    quietly(() => shared?.forget(`proof:${credential}`))
  }

  const noteOfUser = (user: string, credential: string): void => {
    const known = ofUsers.get(user) ?? []
    if (!known.includes(credential)) known.push(credential)
    if (known.length > mostOfUser) forget(known.shift()!)
    ofUsers.delete(user)
    ofUsers.set(user, known)
    if (ofUsers.size > MOST_HERE) ofUsers.delete(ofUsers.keys().next().value!)
  }

  const unlessRevoked = (credential: string, proof: Proof | null): Awaitable<Proof | null> => {
    if (proof === null) return null
    const judge = (revocation: Revocation | null): Proof | null => {
      if (!isRevoked(proof, revocation)) return proof
      forget(credential)
      return null
    }
    return after(latestRevocation({ store, marks }, proof.session, proof.user), judge)
  }

  const look = (credential: string): Awaitable<Proof | null> => {
    const proof = known(credential)
    if (proof !== null || shared === null) return unlessRevoked(credential, proof)
    return after(shared.recall(`proof:${credential}`), text => unlessRevoked(credential, proofOf(text)))
  }

  return {
    needsCredential: policy.handshake.session?.reads !== undefined,
    credentialOf(request) {
      const text = readSafely(request)
      if (text === null) return null
      const message = Buffer.allocUnsafe(HMAC_HEAD_BYTES + Buffer.byteLength(text))
      message.write(text, HMAC_HEAD_BYTES)
      hmac(message, digest)
      message.fill(0)
      return digest.toString('base64url', 0, KEY_BYTES)
    },
    recall(credential) {
      try {
        const proof = look(credential)
        return proof instanceof Promise ? proof.catch(() => null) : proof
      } catch {
        return null
      }
    },
    accept(credential, session) {
      const at = now()
      const before = known(credential)
      if (before?.session === session.id && before.user === session.user && at - before.at < FRESH_MS) return
      const ttlMs = Math.floor(Math.min(PROOF_MS, (session.expiresAt ?? Infinity) - at))
      if (ttlMs <= 0) return
      const text = JSON.stringify([at, session.id, session.user])
      here.set(credential, text, ttlMs, at)
      noteOfUser(session.user, credential)
      quietly(() => shared?.remember(`proof:${credential}`, text, ttlMs))
    },
    forget,
  }
}

function proofOf(text: string | null): Proof | null {
  if (text === null) return null
  const [at, session, user] = JSON.parse(text) as [number, string, string]
  return { at, session, user }
}

/** A session's revocation is final for its id; a user's ends what was accepted up to it. */
function isRevoked({ at }: Proof, revocation: Revocation | null): boolean {
  return revocation !== null && (revocation.session !== null || (revocation.user !== null && at <= revocation.user))
}

/** A store that cannot remember costs a wait later, and nothing now. */
function quietly(step: () => unknown): void {
  try {
    const pending = step()
    if (pending instanceof Promise) pending.catch(() => undefined)
  } catch {
    // As above.
  }
}
