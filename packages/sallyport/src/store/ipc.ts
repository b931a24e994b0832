import cluster from 'node:cluster'
import { LONGEST_MS } from '../shape/duration.ts'
import { requireFunction, requireNumber, requireOptions } from '../shape/options.ts'
import type { Awaitable } from '../model/verdict.ts'
import { createCircuit, lostWithinMs } from './circuit.ts'
import type { Asked } from './ipc-frames.ts'
import { createIpcLink, type IpcLink } from './ipc-link.ts'
import type { Runtime } from '../model/runtime.ts'
import { createShares, type ShareAsk, type ShareGrant, type Shares } from './shares.ts'
import { StoreError } from '../model/store-error.ts'
import type { Revocation, Store, StoreState, Taken, RevocationTarget, Unsubscribe } from '../model/store.ts'
import { systemRuntime } from '../model/system-runtime.ts'

/** Options of {@link ipcStore}. Times in ms. */
export interface IpcStoreOptions {
  /** What is left unanswered is denied within it: a call waits for four fifths. Default 500: one process, whose loop may be busy. */
  readonly deadlineMs?: number
  /** How long open connections live on while the primary does not answer; then they end. Default 60 000. */
  readonly graceMs?: number
  /** By which part of its burst, or by one message a worker if that is more, all of them may exceed a budget. Default 0.1. */
  readonly excess?: number
  /** Ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/** A {@link Store} of a worker of `node:cluster`, held by the primary. */
export interface IpcStore extends Store {
  onState(listener: (state: StoreState) => void): Unsubscribe
  close(): void
}

const TICK_MS = 1000

function requireIpcOptions(options: IpcStoreOptions): void {
  requireOptions('ipcStore', options, ['deadlineMs', 'graceMs', 'excess', 'now'], 'ipcStore({ deadlineMs: 500 })')
  for (const name of ['deadlineMs', 'graceMs'] as const) {
    requireNumber('ipcStore', name, options[name], { least: 1, most: LONGEST_MS, fraction: true })
  }
  requireNumber('ipcStore', 'excess', options.excess, { least: 0, most: 1, fraction: true })
  requireFunction('ipcStore', 'now', options.now, '() => Date.now()')
}

/**
 * The store of a worker of Node's `cluster`: one process a core on one port, limits exact on the machine, no Redis. The
 * primary must have called {@link serveIpcStore}. Throws a `TypeError` in a process that
 * is no worker, and for options that cannot hold.
 *
 * @param system not public: a simulation gives its virtual clock
 */
export function ipcStore(options: IpcStoreOptions = {}, system: Runtime = systemRuntime): IpcStore {
  requireIpcOptions(options)
  const { deadlineMs = 500, graceMs = 60_000, excess = 0.1, now = system.now } = options
  const runtime: Runtime = { ...system, now }
  if (!cluster.isWorker || process.send === undefined) {
    throw new TypeError('ipcStore() belongs into a worker of node:cluster; the primary calls serveIpcStore()')
  }
  const worker = createIpcWorker({ deadlineMs, graceMs, excess, runtime })
  return ipcStoreOf(worker)
}

/** A worker, and what it knows of its primary. */
interface IpcWorker {
  readonly ask: (asked: Asked) => Promise<unknown>
  readonly post: IpcLink['post']
  readonly shares: Shares
  readonly listeners: Set<{ readonly call: (target: RevocationTarget) => void }>
  readonly stateListeners: Set<{ readonly call: (state: StoreState) => void }>
  readonly closed: boolean
  close(): void
}

interface IpcWorkerOptions {
  readonly deadlineMs: number
  readonly graceMs: number
  readonly excess: number
  readonly runtime: Runtime
}

function createIpcWorker({ deadlineMs, graceMs, excess, runtime }: IpcWorkerOptions): IpcWorker {
  const { now } = runtime
  const listeners: IpcWorker['listeners'] = new Set()
  const stateListeners: IpcWorker['stateListeners'] = new Set()
  let workers = 1
  let lastAnswer = now()
  let isOver = false
  let closed = false

  const tellState = (state: StoreState): void => {
    for (const { call } of stateListeners) call(state)
  }
  const link = createIpcLink({
    deadlineMs,
    answered(count) {
      lastAnswer = now()
      isOver = false
      workers = count
    },
    revoked(target) {
      for (const { call } of listeners) call(target)
    },
    timers: runtime,
  })
  const circuit = createCircuit({
    name: 'the primary',
    deadlineMs,
    failures: 5,
    maxPending: 20_000,
    probeMs: 250,
    probeMostMs: 2000,
    probe: async () => {
      await circuit.attempt(() => link.pose(['hello']))
    },
    onState: tellState,
    timers: runtime,
  })
  const ask = (asked: Asked): Promise<unknown> => circuit.call(() => link.pose(asked))

  const shares = createShares({
    settle: asks => settleShares(asks, ask),
    nodes: () => workers,
    away: () => !circuit.closed,
    excess,
    maxKeys: 1_000_000,
    runtime,
  })

  const tick = (): void => {
    shares.tick()
    void ask(['hello']).catch(() => undefined)
    if (isOver || now() - lastAnswer <= graceMs) return
    isOver = true
    tellState({
      state: 'lost',
      detail: `the primary did not answer for ${graceMs} ms; open connections end`,
      endsWithinMs: lostWithinMs(graceMs),
    })
  }
  const timer = runtime.setInterval(tick, TICK_MS)
  timer.unref()
  void ask(['hello']).catch(() => undefined)

  return {
    ask,
    post: link.post,
    shares,
    listeners,
    stateListeners,
    get closed() {
      return closed
    },
    close() {
      closed = true
      runtime.clearInterval(timer)
      circuit.close()
      shares.close()
      link.close()
    },
  }
}

/** Tells the primary what was used of budgets, and asks for more; null for what got no answer. */
async function settleShares(asks: readonly ShareAsk[], ask: IpcWorker['ask']): Promise<readonly (ShareGrant | null)[]> {
  try {
    return (await ask(['share', asks])) as ShareGrant[]
  } catch {
    return asks.map(() => null)
  }
}

function subscribe<T>(listeners: Set<{ readonly call: T }>, call: T): Unsubscribe {
  const entry = { call }
  listeners.add(entry)
  return () => {
    listeners.delete(entry)
  }
}

/** The store's calls, as questions to the primary. */
function ipcStoreOf(worker: IpcWorker): IpcStore {
  const { ask, post } = worker
  const assertOpen = (): void => {
    if (worker.closed) throw new StoreError('SALLY_STORE_CLOSED', 'the store was closed; create a new one')
  }
  return {
    take(key, cost, budget): Awaitable<Taken> {
      assertOpen()
      if (!(cost >= 0)) return { ok: false, retryAfterMs: budget.perMs }
      return ask(['take', key, cost, budget]) as Promise<Taken>
    },
    takeShare(key, cost, budget) {
      assertOpen()
      return worker.shares.take(key, cost, budget)
    },
    async once(key, ttlMs) {
      assertOpen()
      return (await ask(['once', key, ttlMs])) === true
    },
    async lease(key, id, cap, ttlMs) {
      assertOpen()
      try {
        return (await ask(['lease', key, id, Math.min(cap, Number.MAX_SAFE_INTEGER), ttlMs])) === true
      } catch (error) {
        // It may have been taken all the same.
        post(['release', key, id])
        throw error
      }
    },
    release(key, id) {
      if (!worker.closed) post(['release', key, id])
    },
    remember(key, value, ttlMs) {
      assertOpen()
      post(['remember', key, value, ttlMs])
    },
    async recall(key) {
      assertOpen()
      return ((await ask(['recall', key])) as string | undefined) ?? null
    },
    forget(key) {
      if (!worker.closed) post(['forget', key])
    },
    async revoke(target, ttlMs) {
      assertOpen()
      await ask(['revoke', target, ttlMs])
    },
    async revokedAt(session, user) {
      assertOpen()
      return (await ask(['revokedAt', session, user])) as Revocation | null
    },
    onRevoked: listener => subscribe(worker.listeners, listener),
    onState: listener => subscribe(worker.stateListeners, listener),
    close: () => worker.close(),
  }
}

export { type IpcPrimary, serveIpcStore } from './ipc-primary.ts'
