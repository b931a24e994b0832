import type { Session } from './session.ts'
import type { HandshakeRequest } from './handshake-request.ts'

/** A place taken in the store's counts; given back when the attempt is refused or the connection ends. */
export interface Lease {
  readonly key: string
  readonly cap: number
}

/**
 * How much is known of an attempt before its session is looked up: `ticket` bears a ticket that was issued here and is
 * presented for the first time; `proven` shows a credential that was accepted lately; `unproven` shows another one; `bare`
 * shows none.
 */
export type Standing = 'ticket' | 'proven' | 'unproven' | 'bare'

/** One handshake on its way through the door. Controls write what they found for the ones after them. */
export interface Attempt {
  /** Becomes the connection's id. */
  readonly id: string
  readonly request: HandshakeRequest
  /** Written by `handshake/rate`. */
  standing: Standing
  /** A keyed hash of its credential, from `handshake/rate` to `handshake/session`; null for none, undefined before. */
  credential: string | null | undefined
  /** The allowed Origin, written by `handshake/origin`; null where a missing one was allowed. */
  origin: string | null
  /** Written by `handshake/session`. */
  session: Session | null
  /** The subprotocol to answer with, written by `handshake/subprotocol`. */
  subprotocol: string | null
  /** Written by `handshake/ticket`: `deferred` means that the first message must bear it. */
  ticket: 'none' | 'verified' | 'deferred'
  /**
   * What it holds or has asked for. Just as long as that (`concat`): it lives as long as the connection, and what is pushed
   * to has room for 17.
   */
  leases: readonly Lease[]
  /** True once refused or given up: what a late control still takes is given back at once. */
  ended: boolean
}

/** Whose the places of an attempt are whose connection another guard has taken over. */
const heirs = new WeakMap<Attempt, Attempt>()

/** Ends an attempt that is judged anew as another one, of the same id: its places are given on, not back. */
export function bequeath(attempt: Attempt, heir: Attempt): void {
  attempt.ended = true
  heir.leases = attempt.leases
  heirs.set(attempt, heir)
}

/** Whether a place that an ended attempt still got is held or asked for by the one that its connection goes on with. */
export function isInherited(attempt: Attempt, key: string): boolean {
  const heir = heirs.get(attempt)
  if (heir === undefined) return false
  return heir.ended ? isInherited(heir, key) : heir.leases.some(lease => lease.key === key)
}

/** An attempt that no control has looked at yet. */
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
