import type { SchemaMap } from './policy.ts'
import type { OutputOf } from './schema-kinds.ts'

/** One message: what its schema lets through, with its type. */
export type MessageOf<Output, Type, D extends string> = Output extends { readonly [key in D]: unknown }
  ? Output
  : Output & { readonly [key in D]: Type }

/** A handler for each type of message. `C` is the connection. What a handler throws is told to the log, never to the peer. */
export type Handlers<M extends SchemaMap, C, D extends string = 'type'> = {
  readonly [K in keyof M & string]: (message: MessageOf<OutputOf<M[K]>, K, D>, connection: C) => unknown
}
