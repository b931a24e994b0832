import type { Budget, RevocationTarget } from '../model/store.ts'

/** Marks our messages among those of the app: IPC has one channel. */
export const CHANNEL = 'sallyport.store.1'

/** What a worker asks. `release` is not answered, nor are `remember` and `forget`. */
export type Asked =
  | readonly ['take', key: string, cost: number, budget: Budget]
  | readonly ['once', key: string, ttlMs: number]
  | readonly ['lease', key: string, id: string, cap: number, ttlMs: number]
  | readonly ['release', key: string, id: string]
  | readonly ['remember', key: string, value: string, ttlMs: number]
  | readonly ['recall', key: string]
  | readonly ['forget', key: string]
  | readonly ['revoke', target: RevocationTarget, ttlMs: number]
  | readonly ['revokedAt', session: string, user: string]
  | readonly ['share', asks: readonly { key: string; budget: Budget; owed: number; wanted: number }[]]
  | readonly ['hello']

/** From a worker: what it asks within one turn, with the number of each question. */
export interface WorkerFrame {
  readonly channel: typeof CHANNEL
  readonly asks: readonly (readonly [number, Asked])[]
}

/** From the primary: answers (`error` is a code), or a revocation. */
export type PrimaryFrame =
  | {
      readonly channel: typeof CHANNEL
      readonly answers: readonly { readonly of: number; readonly value?: unknown; readonly error?: string }[]
      /** Workers that hold shares. */
      readonly workers: number
    }
  | { readonly channel: typeof CHANNEL; readonly revoked: RevocationTarget }

/** Whether a message is one of ours. */
export function isFrame(message: unknown): message is WorkerFrame | PrimaryFrame {
  return typeof message === 'object' && message !== null && (message as { channel?: unknown }).channel === CHANNEL
}
