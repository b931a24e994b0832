import assert from 'node:assert/strict'
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type IpcPrimary, ipcStore, serveIpcStore } from '../../src/store/ipc.ts'
import type { Store } from '../../src/model/store.ts'
import { storeConformance } from './conformance.ts'

/** A worker's store, asked from here. */
interface Remote {
  readonly worker: Worker
  readonly store: Store
  heard(): Promise<unknown[]>
}

const START = 1_700_000_000_000
let at = START
let primary: IpcPrimary
const remotes: Remote[] = []

async function startWorker(): Promise<Remote> {
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('./ipc-worker.ts', import.meta.url)),
    execArgv: ['--conditions=sallyport-source'],
  })
  const worker = cluster.fork()
  const waiting = new Map<number, { resolve: (value: any) => void; reject: (error: unknown) => void }>()
  const up = Promise.withResolvers<void>()
  worker.on('message', (message: { up?: boolean; id?: number; value?: unknown; error?: string }) => {
    if (message.up === true) up.resolve()
    if (message.id === undefined) return
    const asker = waiting.get(message.id)
    if (message.error === undefined) asker?.resolve(message.value)
    else asker?.reject(new Error(message.error))
  })
  await up.promise
  let serial = 0
  const call = (method: string, ...args: unknown[]): Promise<any> =>
    new Promise((resolve, reject) => {
      const id = ++serial
      waiting.set(id, { resolve, reject })
      worker.send({ id, method, args })
    })
  const listeners = new Set<(target: any) => void>()
  return {
    worker,
    heard: () => call('heard'),
    store: {
      take: (key, cost, budget) => call('take', key, Number.isNaN(cost) ? 'NaN' : cost, budget),
      takeShare: (key, cost, budget) => call('takeShare', key, cost, budget),
      once: (key, ttlMs) => call('once', key, ttlMs),
      lease: (key, id, cap, ttlMs) => call('lease', key, id, cap, ttlMs),
      release: (key, id) => call('release', key, id),
      remember: (key, value, ttlMs) => call('remember', key, value, ttlMs),
      recall: key => call('recall', key),
      forget: key => call('forget', key),
      // What the worker heard is asked for by `heard`, below: a listener cannot travel.
      async revoke(target, ttlMs) {
        await call('revoke', target, ttlMs)
        for (const listener of listeners) listener(target)
      },
      revokedAt: (session, user) => call('revokedAt', session, user),
      onRevoked(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
  }
}

before(async () => {
  primary = serveIpcStore({ now: () => at })
  remotes.push(...(await Promise.all([startWorker(), startWorker(), startWorker()])))
})
after(async () => {
  for (const { worker } of remotes) if (!worker.isDead()) worker.process.kill('SIGKILL')
  primary.close()
})

storeConformance('the primary over IPC', () => ({
  store: remotes[0]!.store,
  pass: ms => void (at += ms),
  close: () => undefined,
}))

describe('three workers of one primary', () => {
  const range = (length: number): number[] => Array.from({ length }, (_, index) => index)
  const at3 = (nth: number): Store => remotes[nth % 3]!.store

  it('300 racing leases under a cap of 10: exactly 10', async () => {
    const answers = await Promise.all(range(300).map(async nth => at3(nth).lease('race', `c${nth}`, 10, 60_000)))
    assert.equal(answers.filter(Boolean).length, 10)
  })

  it('150 racing uses: exactly one wins', async () => {
    const answers = await Promise.all(range(150).map(async nth => at3(nth).once('race', 60_000)))
    assert.equal(answers.filter(Boolean).length, 1)
  })

  it('a revocation is heard by every worker', async () => {
    await at3(0).revoke({ user: 'everywhere' }, 60_000)
    for (const { heard } of remotes) {
      // Answered after the news, on the same channel.
      const told = JSON.stringify(await heard())
      assert.ok(told.includes('everywhere'), told)
    }
  })

  it('a flood of messages at every worker passes no more than the burst and a tenth', async () => {
    const budget = { amount: 100, perMs: 60_000, burst: 100 }
    const answers = await Promise.all(range(600).map(async nth => at3(nth).takeShare!('flood', 1, budget)))
    const passed = answers.filter(({ ok }) => ok).length
    assert.ok(passed <= 110 && passed >= 90, `${passed}`)
  })

  it('kill -9 of a worker: its places are free in the same instant', async () => {
    const doomed = await startWorker()
    for (const nth of range(10)) assert.equal(await doomed.store.lease('user', `c${nth}`, 10, 60_000), true)
    assert.equal(await at3(0).lease('user', 'eleventh', 10, 60_000), false)
    const gone = once(doomed.worker, 'exit')
    doomed.worker.process.kill('SIGKILL')
    await gone
    assert.equal(await at3(0).lease('user', 'eleventh', 10, 60_000), true)
  })

  it('each half belongs into its process', () => {
    assert.throws(() => ipcStore(), TypeError)
  })
})
