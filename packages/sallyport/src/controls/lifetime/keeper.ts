import type { Clock, Timers } from '../../model/runtime.ts'
import type { ControlId, Denial } from '../../model/verdict.ts'
import { LEASE_TTL_MS } from '../../model/lease-time.ts'
import { LIFETIME, type LifetimePolicy } from './index.ts'
import type { TimedConnection, LifetimeCheck } from './timed-connection.ts'
import { createWheel, type WheelItem } from './wheel.ts'

/** How long after its opening a connection is settled, in ms. A connection that ends before needs no settling. */
export const SETTLE_MS = 500
/** The bit of `reported` for a settled connection. The controls use the low bits. */
const SETTLED = 1 << 30

/** A connection as the keeper sees it. */
export interface KeeperConnection extends TimedConnection, WheelItem {
  readonly readyState: number
  readonly cutAt: number
  readonly delayedUntil: number
  /** When to check whether the peer of an unread socket is gone. 0 while the socket is read. */
  readonly unreadLookAt: number
  lookUnread(): void
  leaseAt: number
  /** Called at each look with the time, because the clock may have been set back. */
  clockIs(now: number): void
  reported: number
  end(denial: Denial, control: ControlId): void
  undelay(): void
  terminate(): void
}

/** Ends every connection whose right has lapsed. All connections share one timer. */
export interface Keeper<C> {
  /** Call it for a new connection, and when one of its deadlines moves to an earlier time. */
  touch(connection: C): void
  forget(connection: C): void
}

/** Work on an open connection. A connection for which it throws is cut. */
export interface KeeperWork<C> {
  /** Renews its leases. */
  renew(connection: C): void
  /** Called after {@link SETTLE_MS}: reduces the memory of the connection for the hours that it may last. */
  settle(connection: C): void
}

/** Compiles the policy's lifetime controls. */
export function createKeeper<C extends KeeperConnection>(
  policy: LifetimePolicy,
  runtime: Pick<Clock, 'now'> & Timers,
  work: KeeperWork<C>,
): Keeper<C> {
  const checks: { readonly id: ControlId; readonly bit: number; readonly check: LifetimeCheck }[] = []
  for (const [index, control] of LIFETIME.entries()) {
    const check = control.compile(policy)
    if (check !== null) checks.push({ id: control.id, bit: 1 << index, check })
  }
  const renewEvery = LEASE_TTL_MS / 3

  const dueAt = (connection: C): number => {
    if (connection.readyState === 3) return Infinity
    if (connection.readyState === 2) return connection.cutAt === 0 ? Infinity : connection.cutAt
    let due = connection.leaseAt + renewEvery
    if ((connection.reported & SETTLED) === 0 && connection.openedAt + SETTLE_MS < due) {
      due = connection.openedAt + SETTLE_MS
    }
    if (connection.delayedUntil !== 0 && connection.delayedUntil < due) due = connection.delayedUntil
    if (connection.unreadLookAt !== 0 && connection.unreadLookAt < due) due = connection.unreadLookAt
    for (const { bit, check } of checks) {
      if ((connection.reported & bit) !== 0) continue
      const next = check.due(connection)
      if (next < due) due = next
    }
    return due
  }

  const look = (connection: C, time: number): number => {
    if (connection.readyState >= 2) {
      if (connection.readyState === 2 && connection.cutAt !== 0 && connection.cutAt <= time) connection.terminate()
      return connection.readyState === 2 && connection.cutAt > time ? connection.cutAt : Infinity
    }
    connection.clockIs(time)
    if (connection.leaseAt + renewEvery <= time) {
      connection.leaseAt = time
      work.renew(connection)
    }
    if ((connection.reported & SETTLED) === 0 && connection.openedAt + SETTLE_MS <= time) {
      connection.reported |= SETTLED
      work.settle(connection)
    }
    if (connection.delayedUntil !== 0 && connection.delayedUntil <= time) connection.undelay()
    if (connection.unreadLookAt !== 0 && connection.unreadLookAt <= time) connection.lookUnread()
    for (const { id, bit, check } of checks) {
      if (connection.readyState >= 2) break
      if ((connection.reported & bit) !== 0 || check.due(connection) > time) continue
      const verdict = check.look(connection, time)
      if (verdict.pass) continue
      connection.end(verdict, id)
      // Still open, so the control only reports. It has done so once.
      connection.reported |= bit
    }
    return dueAt(connection)
  }

  const turn = (connection: C, time: number): number => {
    try {
      return look(connection, time)
    } catch {
      // A connection that cannot be judged must not stay open. The others that are due now are still judged.
      connection.terminate()
      return Infinity
    }
  }

  const wheel = createWheel<C>(runtime, turn)
  return {
    touch(connection) {
      const due = dueAt(connection)
      if (due === Infinity) wheel.remove(connection)
      else wheel.place(connection, due)
    },
    forget: connection => wheel.remove(connection),
  }
}
