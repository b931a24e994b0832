import { timingSafeEqual } from 'node:crypto'
import type { Randomness } from '../model/runtime.ts'
import { type Awaitable, type Denial, deny, PASS, type Verdict } from '../model/verdict.ts'
import { latestRevocation, type MarkedStore } from '../store/marks.ts'
import type { Revocation } from '../model/store.ts'
import { createHmacSha256, type Hmac, HMAC_HEAD_BYTES } from '../session/hmac.ts'
import type { TicketBinding, Tickets } from '../model/tickets.ts'

/*
 * A ticket is base64url of 75 bytes, which leaves no padding bits to vary:
 *   version 1 | expiry 6 (ms since the epoch) | nonce 18 | seal 18 | HMAC-SHA-256 32
 * The seal is the beginning of an HMAC-SHA-256 over what stands before it: it shows that the ticket was issued here
 * before anybody knows the session. What the ticket is bound to is under the last MAC, with all before it, and not in the
 * ticket.
 */
const VERSION = 2
const EXPIRY_AT = 1
const EXPIRY_BYTES = 6
const NONCE_AT = 7
const SEAL_AT = 25
const MAC_AT = 43
const BYTES = 75
const SHAPE = /^[A-Za-z0-9_-]{100}$/
/** A ticket of version 1. */
const FIRST_SHAPE = /^AQ[A-Za-z0-9_-]{74}$/
const DOMAIN = 'sallyport ticket v2\0'
const SEAL_DOMAIN = 'sallyport ticket v2 issued\0'
const LENGTH_BYTES = 4
const LEAST_SECRET_BYTES = 32
const RANDOM_SECRET_BYTES = 32
const DEFAULT_TTL_MS = 30_000

/** How far the clocks of two nodes may stand apart, in ms: a ticket is redeemed where it was not issued. */
export const TICKET_CLOCK_SKEW_MS = 2000

/**
 * Issues and redeems tickets under a policy's secrets: the newest signs, all verify. Without secrets it makes one for
 * this process. Throws a TypeError for a secret under 32 bytes.
 */
export function createTickets(
  policy: { readonly secrets: readonly string[] | null; readonly ttlMs: number } | null,
  { store, now, marks = null }: MarkedStore,
  { randomBytes, randomFill }: Randomness,
): Tickets {
  const secrets = secretsOf(policy?.secrets ?? [randomBytes(RANDOM_SECRET_BYTES)])
  const ttlMs = policy?.ttlMs ?? DEFAULT_TTL_MS

  return {
    issue(binding) {
      const expiresAt = Math.floor(now()) + ttlMs
      const bytes = Buffer.alloc(BYTES)
      bytes[0] = VERSION
      bytes.writeUIntBE(expiresAt, EXPIRY_AT, EXPIRY_BYTES)
      randomFill(bytes, NONCE_AT, SEAL_AT - NONCE_AT)
      seal(secrets[0]!, bytes).copy(bytes, SEAL_AT)
      mac(secrets[0]!, bytes, binding, bytes.subarray(MAC_AT))
      return { ticket: bytes.toString('base64url'), expiresAt }
    },

    present(ticket) {
      const bytes = bytesOf(ticket)
      if (bytes === null || bytes[0] !== VERSION) return false
      const expiresAt = bytes.readUIntBE(EXPIRY_AT, EXPIRY_BYTES)
      const time = now()
      if (expiresAt <= time || expiresAt > time + ttlMs + TICKET_CLOCK_SKEW_MS) return false
      if (!isSealed(secrets, bytes)) return false
      const left = Math.ceil(expiresAt - time) + TICKET_CLOCK_SKEW_MS
      try {
        const first = store.once(`seen:${nonceOf(bytes)}`, left, expiresAt - ttlMs)
        return first instanceof Promise ? first.then(isFirst, () => false) : first
      } catch {
        return false
      }
    },

    redeem(ticket, binding) {
      const bytes = bytesOf(ticket)
      if (bytes === null) return invalid(FIRST_SHAPE.test(ticket) ? 'version' : 'form')
      const expiresAt = bytes.readUIntBE(EXPIRY_AT, EXPIRY_BYTES)
      const time = now()
      if (bytes[0] !== VERSION) return invalid('version')
      if (expiresAt > time + ttlMs + TICKET_CLOCK_SKEW_MS) return invalid('future')
      const given = bytes.subarray(MAC_AT)
      if (!secrets.some(secret => timingSafeEqual(given, mac(secret, bytes, binding, expected)))) {
        return invalid('foreign')
      }
      if (expiresAt <= time) return deny('SALLY_TICKET_EXPIRED', { agoMs: Math.ceil(time - expiresAt) })

      const { session } = binding
      const nonce = nonceOf(bytes)
      const use = (): Awaitable<Verdict> => {
        // The record outlives the ticket on every node, also where the clock is behind.
        const first = store.once(
          `ticket:${nonce}`,
          Math.ceil(expiresAt - time) + TICKET_CLOCK_SKEW_MS,
          expiresAt - ttlMs,
        )
        return first instanceof Promise ? first.then(used) : used(first)
      }
      const unlessRevoked = (revocation: Revocation | null): Awaitable<Verdict> =>
        isRevoked(expiresAt - ttlMs, revocation) ? deny('SALLY_TICKET_REVOKED') : use()
      try {
        const revocation = latestRevocation({ store, marks }, session.id, session.user)
        return revocation instanceof Promise
          ? revocation.then(unlessRevoked).catch(unavailable)
          : settled(unlessRevoked(revocation))
      } catch (error) {
        return unavailable(error)
      }
    },
  }
}

/** The bytes of a ticket of the right form; null for anything else. */
function bytesOf(ticket: unknown): Buffer | null {
  return typeof ticket === 'string' && SHAPE.test(ticket) ? Buffer.from(ticket, 'base64url') : null
}

const nonceOf = (bytes: Buffer): string => bytes.toString('base64url', NONCE_AT, SEAL_AT)

const isFirst = (first: unknown): boolean => first === true

const settled = (verdict: Awaitable<Verdict>): Awaitable<Verdict> =>
  verdict instanceof Promise ? verdict.catch(unavailable) : verdict

const used = (first: unknown): Verdict => (first === true ? PASS : deny('SALLY_TICKET_USED'))

const invalid = (reason: 'version' | 'form' | 'future' | 'foreign'): Denial => deny('SALLY_TICKET_INVALID', { reason })

function unavailable(error: unknown): Denial {
  const name = error instanceof Error && /^\w{1,64}$/.test(error.name) ? error.name : typeof error
  return deny('SALLY_STORE_UNAVAILABLE', { reason: 'ticket', error: name })
}

/** A session's revocation is final for its id; a user's ends the tickets issued up to it. */
function isRevoked(issuedAt: number, revocation: Revocation | null): boolean {
  if (revocation === null) return false
  return revocation.session !== null || (revocation.user !== null && issuedAt <= revocation.user)
}

/** What a ticket is compared with; only one is redeemed at a time. */
const expected = Buffer.alloc(BYTES - MAC_AT)
const expectedSeal = expected.subarray(0, MAC_AT - SEAL_AT)
const sealMessage = Buffer.alloc(HMAC_HEAD_BYTES + SEAL_DOMAIN.length + SEAL_AT)
sealMessage.write(SEAL_DOMAIN, HMAC_HEAD_BYTES, 'latin1')

/** Whether one of the secrets sealed it. */
function isSealed(secrets: readonly Hmac[], bytes: Buffer): boolean {
  const given = bytes.subarray(SEAL_AT, MAC_AT)
  return secrets.some(secret => timingSafeEqual(given, seal(secret, bytes)))
}

/** The seal of a ticket's head, in memory that the next call writes over. */
function seal(secret: Hmac, bytes: Buffer): Buffer {
  bytes.copy(sealMessage, HMAC_HEAD_BYTES + SEAL_DOMAIN.length, 0, SEAL_AT)
  secret(sealMessage, expected)
  sealMessage.fill(0, 0, HMAC_HEAD_BYTES)
  return expectedSeal
}

/**
 * Each part is preceded by its length, so that no two bindings are one text; UTF-16 keeps lone surrogates apart. All of it
 * is one piece of memory: the MAC costs less than a call for each part.
 *
 * @returns `target`, which it fills
 */
function mac(secret: Hmac, bytes: Buffer, { session, origin, path }: TicketBinding, target: Buffer): Buffer {
  const parts = [session.id, session.user, origin, path]
  let length = HMAC_HEAD_BYTES + DOMAIN.length + MAC_AT
  for (const part of parts) length += LENGTH_BYTES + 2 * part.length
  const message = Buffer.allocUnsafe(length)
  let at = HMAC_HEAD_BYTES
  at += message.write(DOMAIN, at, 'latin1')
  at += bytes.copy(message, at, 0, MAC_AT)
  for (const part of parts) {
    at = message.writeUInt32BE(2 * part.length, at)
    at += message.write(part, at, 'utf16le')
  }
  secret(message, target)
  // The memory contains the key's block. It is erased, because other code may get the same memory next.
  message.fill(0, 0, HMAC_HEAD_BYTES)
  return target
}

function secretsOf(secrets: readonly (string | Buffer)[]): readonly Hmac[] {
  const keys = secrets.map(secret => (typeof secret === 'string' ? Buffer.from(secret, 'utf8') : secret))
  const short = keys.findIndex(key => key.length < LEAST_SECRET_BYTES)
  if (keys.length === 0 || short !== -1) {
    const fault = short === -1 ? 'is an empty list' : `[${short}] is ${keys[short]!.length} bytes`
    throw new TypeError(
      `handshake.ticket.secret ${fault}; each must be ${LEAST_SECRET_BYTES} or more. Make one with: openssl rand -base64 32`,
    )
  }
  return keys.map(createHmacSha256)
}
