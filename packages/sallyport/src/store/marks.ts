import type { Awaitable } from '../model/verdict.ts'
import type { Revocation, Store } from '../model/store.ts'

/** Revocations in the memory of this process. */
export interface Marks {
  revokedAt(session: string, user: string): Revocation | null
}

/** A store, its clock, and what this process remembers beside it. */
export interface MarkedStore {
  readonly store: Store
  /** Ms since the epoch. */
  readonly now: () => number
  /** Revocations of guards that share with this one. */
  readonly marks?: Marks | null
}

/** The latest revocations that touch a session, of the store and of this process's own marks. */
export function latestRevocation(
  { store, marks = null }: { readonly store: Pick<Store, 'revokedAt'>; readonly marks?: Marks | null },
  session: string,
  user: string,
): Awaitable<Revocation | null> {
  const here = marks === null ? null : marks.revokedAt(session, user)
  // A session's end is final: no store need be asked.
  if (here !== null && here.session !== null) return here
  const there = store.revokedAt(session, user)
  if (here === null) return there
  return there instanceof Promise ? there.then(found => laterOf(here, found)) : laterOf(here, there)
}

/** Of two answers about one session, the later times. */
export function laterOf(one: Revocation | null, other: Revocation | null): Revocation | null {
  if (one === null || other === null) return one ?? other
  return { session: later(one.session, other.session), user: later(one.user, other.user) }
}

function later(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other)
}
