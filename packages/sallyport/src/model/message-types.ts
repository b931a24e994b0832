import type { SchemaMap } from './schema-kinds.ts'
import type { OutputOf } from './schema-kinds.ts'

/** One message with its type, as its schema accepts it. */
export type MessageOf<Output, Type, D extends string> = Output extends { readonly [key in D]: unknown }
  ? Output
  : Output & { readonly [key in D]: Type }

/**
 * A handler for each type of message. `C` is the type of the connection. An error of a handler goes to the log, never
 * to the peer.
 */
export type Handlers<M extends SchemaMap, C, D extends string = 'type'> = {
  readonly [K in keyof M & string]: (message: MessageOf<OutputOf<M[K]>, K, D>, connection: C) => unknown
}
