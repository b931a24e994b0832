import type { Session } from './session.ts'
import type { HandshakeRequest } from './handshake-request.ts'

/** A slot taken in the store's counts. It is given back when the attempt is refused or the connection ends. */
export interface Lease {
  readonly key: string
  readonly cap: number
}

/**
 * What is known of an attempt before its session is looked up. `ticket`: it has a ticket that was issued here and is
 * presented for the first time. `proven`: it shows a credential that was accepted lately. `unproven`: it shows another
 * credential. `bare`: it shows none.
 */
export type Standing = 'ticket' | 'proven' | 'unproven' | 'bare'

/** One handshake on its way through the door. Each control writes its results for the later ones. */
export interface Attempt {
  /** Becomes the connection's id. */
  readonly id: string
  readonly request: HandshakeRequest
  /** Written by `handshake/rate`. */
  standing: Standing
  /**
   * A keyed hash of its credential, kept from `handshake/rate` to `handshake/session`. Null for no credential.
   * Undefined before `handshake/rate`.
   */
  credential: string | null | undefined
  /** The allowed Origin, written by `handshake/origin`. Null if a missing one was allowed. */
  origin: string | null
  /** Written by `handshake/session`. */
  session: Session | null
  /** The subprotocol of the answer, written by `handshake/subprotocol`. */
  subprotocol: string | null
  /** Written by `handshake/ticket`. `deferred` means that the first message must contain the ticket. */
  ticket: 'none' | 'verified' | 'deferred'
  /**
   * The slots that it holds or has requested. The list is built by `concat`, so that it is no longer than needed: it
   * lives as long as the connection, and `push` reserves room for 17 entries.
   */
  leases: readonly Lease[]
  /** True after it was refused or given up. A slot that a late control still takes is then given back at once. */
  ended: boolean
}

/** Maps an attempt to the one that inherited its slots, after another guard took the connection over. */
const heirs = new WeakMap<Attempt, Attempt>()

/** Ends an attempt that continues as another one with the same id. Its slots go to the heir and are not given back. */
export function bequeath(attempt: Attempt, heir: Attempt): void {
  attempt.ended = true
  heir.leases = attempt.leases
  heirs.set(attempt, heir)
}

/** Whether a slot that an ended attempt still received belongs to its heir. */
export function isInherited(attempt: Attempt, key: string): boolean {
  const heir = heirs.get(attempt)
  if (heir === undefined) return false
  return heir.ended ? isInherited(heir, key) : heir.leases.some(lease => lease.key === key)
}

/** An attempt that no control has checked yet. */
export function newAttempt(id: string, request: HandshakeRequest): Attempt {
  return {
    id,
    request,
    standing: 'bare',
    credential: undefined,
    origin: null,
    session: null,
    subprotocol: null,
    ticket: 'none',
    leases: [],
    ended: false,
  }
}
