// A worker of node:cluster for ipc.test.ts: does what it is told with its store, and answers.
import { ipcStore } from '../../src/store/ipc.ts'
import type { Store, RevocationTarget } from '../../src/model/store.ts'

const store = ipcStore({ deadlineMs: 5000 })
const heard: RevocationTarget[] = []
store.onRevoked(target => heard.push(target))

type Method =
  | 'take'
  | 'takeShare'
  | 'once'
  | 'lease'
  | 'release'
  | 'revoke'
  | 'revokedAt'
  | 'remember'
  | 'recall'
  | 'forget'

process.on('message', (message: { id?: number; method?: Method | 'heard'; args?: unknown[] }) => {
  const { id, method, args = [] } = message
  if (id === undefined || method === undefined) return
  void (async () => {
    try {
      const call = method === 'heard' ? () => heard : (store as Required<Store>)[method]
      process.send?.({ id, value: await (call as (...args: unknown[]) => unknown)(...args) })
    } catch (error) {
      process.send?.({ id, error: (error as Error).message })
    }
  })()
})
process.send?.({ up: true })
