import type { RevocationTarget } from 'sallyport'
import type { RedisStoreOptions } from 'sallyport/store/redis'

/** Shared by all nodes under test. */
export const SECRET = 'a secret that all nodes of the cluster under test share'

export type ClientName = 'node-redis' | 'ioredis'

/** How a node is set up; it travels as JSON. */
export interface NodeSetup {
  readonly index: number
  /** Null: a memory store of its own. */
  readonly redis: { readonly host: string; readonly port: number } | null
  readonly client: ClientName
  /** What the address of `redis` is one of. Default: the one server itself. */
  readonly topology?: 'server' | 'cluster' | 'sentinel'
  readonly store?: Partial<Omit<RedisStoreOptions, 'now'>>
  readonly host?: string
  /** A worker of node:cluster: its primary holds the store, and all share this port. */
  readonly sharedPort?: number
  readonly perUser?: number
  readonly ticketTtlMs?: number
}

/** What a parent tells a node to do. */
export type NodeOrder =
  | { readonly order: 'revoke'; readonly target: RevocationTarget }
  | { readonly order: 'stats' }
  | { readonly order: 'held' }
  | { readonly order: 'exit' }

/** What a node tells of itself. */
export interface NodeStats {
  readonly handled: number
  readonly states: readonly { readonly at: number; readonly state: string; readonly detail: string }[]
  readonly closes: Readonly<Record<string, number>>
  readonly rss: number
  /** Time on the CPU since the start, in µs. */
  readonly cpuMicros: number
}
