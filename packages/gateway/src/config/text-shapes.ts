import { either, flag, mapped, may, type Shape, text } from './shape.ts'
import * as checks from './text-checks.ts'
import type { ListenerConfig } from './types.ts'

/** A name as in Host, lower-cased. */
export const host = mapped(text(checks.faultOfHost, "'app.company.com'"), name => name.toLowerCase())

/** A name of a header that an application may set. */
export const header = text(checks.faultOfHeader, "'X-User'")

/** Where something listens. */
export const address: Shape<ListenerConfig['address']> = mapped(
  text(checks.faultOfAddress, "'127.0.0.1:8443' or 'unix:/run/sallyport/gateway.sock'"),
  value => {
    if (value.startsWith('unix:')) return { socket: value.slice(5) }
    const split = value.lastIndexOf(':')
    return { host: value.slice(0, split).replace(/^\[|\]$/g, ''), port: Number(value.slice(split + 1)) }
  },
)

/** The same, or false for none. */
export const none = (shape: Shape<string>): Shape<string | null> =>
  mapped(
    either<false, string>(value => value === false, flag as Shape<false>, shape),
    value => (value === false ? null : value),
  )
