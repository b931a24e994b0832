import type { Secrets } from '../runtime/shared-parts.ts'

/** Marks what primary and workers say to each other, beside the store's own frames. */
export const CHANNEL = 'sallyport-gateway'

/** What a worker is asked: a question of the admin API, or one of these. */
export type Asked =
  | { readonly kind: 'admin'; readonly path: string; readonly query: string; readonly body: unknown }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'reload'; readonly text: string }
  /** To count a reload that the primary has refused. */
  | { readonly kind: 'refused' }

/** From the primary. */
export type ToWorker =
  | { readonly channel: typeof CHANNEL; readonly begin: Secrets & { readonly text: string } }
  | { readonly channel: typeof CHANNEL; readonly ask: number; readonly what: Asked }
  | { readonly channel: typeof CHANNEL; readonly leave: number }

/** From a worker. */
export type ToPrimary =
  | { readonly channel: typeof CHANNEL; readonly ready: { readonly [listener: string]: number } }
  | { readonly channel: typeof CHANNEL; readonly failed: string }
  | { readonly channel: typeof CHANNEL; readonly answer: number; readonly status: number; readonly body: unknown }

/** Whether a message is of ours. */
export function isOurs(message: unknown): boolean {
  return typeof message === 'object' && message !== null && (message as { channel?: unknown }).channel === CHANNEL
}
