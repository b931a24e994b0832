import { queue } from './queue.ts'
import type { AppRecord } from './way-in.ts'

/** What the app sends for `bulk`: more than the sockets of both kernels hold. */
const BULK = Object.freeze({ type: 'chat', text: 'x'.repeat(512 * 1024) })
const BULKS = 32

/** How an app answers, whatever it stands on. */
export interface Answering {
  send(message: object): unknown
  close(code: number): unknown
}

/** The app of the suite: it sends a `chat` back, sends much for `bulk`, and closes with 4001 for `leave`. */
export function createApp() {
  const codes = queue<number>()
  const record: AppRecord = { handled: [], closed: codes.take }
  return {
    record,
    handle(message: unknown, connection: Answering): void {
      record.handled.push(message)
      const { type } = message as { readonly type?: unknown }
      if (type === 'bulk') for (let sent = 0; sent < BULKS; sent++) connection.send(BULK)
      else if (type === 'leave') connection.close(4001)
      else connection.send(message as object)
    },
    closed: codes.put,
  }
}
