import type { Timers } from '../model/runtime.ts'
import { StoreError } from '../model/store-error.ts'
import type { RevocationTarget } from '../model/store.ts'
import { type Asked, CHANNEL, isFrame, type PrimaryFrame, type WorkerFrame } from './ipc-frames.ts'

/** Options of {@link createIpcLink}. */
export interface IpcLinkOptions {
  /** After twice this time, in ms, a question without an answer is forgotten. */
  readonly deadlineMs: number
  /** The primary answered. `workers`: how many hold shares. */
  readonly answered: (workers: number) => void
  readonly revoked: (target: RevocationTarget) => void
  readonly timers: Timers
}

/** The channel of a worker to its primary. */
export interface IpcLink {
  /** Asks, and wants no answer. All of one turn of the loop goes together. */
  post(asked: Asked): void
  /** Asks. Nothing bounds how long it waits. */
  pose(asked: Asked): Promise<unknown>
  close(): void
}

/** Somebody who waits for an answer. */
interface Asker {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Opens the channel of this process. */
export function createIpcLink({ deadlineMs, answered, revoked, timers }: IpcLinkOptions): IpcLink {
  const waiting = new Map<number, Asker>()
  let batch: (readonly [number, Asked])[] = []
  let serial = 0

  const send = (): void => {
    const asks = batch
    batch = []
    const frame: WorkerFrame = { channel: CHANNEL, asks }
    const failed = (): void => {
      for (const [of] of asks) {
        waiting.get(of)?.reject(new StoreError('SALLY_STORE_UNAVAILABLE', 'the primary is gone'))
        waiting.delete(of)
      }
    }
    try {
      process.send?.(frame, undefined, {}, error => error && failed())
    } catch {
      failed()
    }
  }

  const post = (asked: Asked): number => {
    const of = ++serial
    // All of one turn go together.
    if (batch.length === 0) queueMicrotask(send)
    batch.push([of, asked])
    return of
  }

  const onMessage = (message: unknown): void => {
    if (!isFrame(message)) return
    const frame = message as PrimaryFrame
    if ('revoked' in frame) {
      revoked(frame.revoked)
      return
    }
    answered(frame.workers)
    settle(waiting, frame.answers)
  }
  process.on('message', onMessage)

  return {
    post,
    pose(asked) {
      const of = post(asked)
      return new Promise((resolve, reject) => {
        waiting.set(of, { resolve, reject })
        const forget = timers.setTimeout(() => waiting.delete(of), 2 * deadlineMs)
        forget.unref()
      })
    },
    close() {
      process.off('message', onMessage)
      for (const { reject } of waiting.values()) reject(new StoreError('SALLY_STORE_CLOSED', 'the store was closed'))
      waiting.clear()
    },
  }
}

type Answers = Extract<PrimaryFrame, { readonly answers: unknown }>['answers']

function settle(waiting: Map<number, Asker>, answers: Answers): void {
  for (const { of, value, error } of answers) {
    const asker = waiting.get(of)
    waiting.delete(of)
    if (error === undefined) asker?.resolve(value)
    else asker?.reject(new StoreError('SALLY_STORE_UNAVAILABLE', `the primary failed: ${error}`))
  }
}
