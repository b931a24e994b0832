import { pathText } from './path.ts'
import { refuse } from './reading.ts'
import { either, flag, mapped, type Note, note, type Shape, text } from './shape.ts'
import * as checks from './text-checks.ts'
import type { ListenerConfig } from '../model/config.ts'

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

const reason = text(
  checks.faultOfReason,
  "why nobody else reads it: 'compose.yaml gives these two a network of their own'",
)

/** Says why something may go in clear. That is for `check` alone: another reason changes nothing of what runs. */
export const plaintext: Note = note(
  {
    read(reading, path, value) {
      if (reading.document.from(path) === null) {
        const read = reason.read(reading, path, value)
        if (read !== undefined) reading.plaintext.set(pathText(path.slice(0, -1)), read)
        return read
      }
      refuse(reading, path, value, {
        message: 'a reason that only the environment knows',
        remedy: 'write it here, for whoever reads the file',
      })
      return undefined
    },
    schema: reason.schema,
  },
  'Lets it go in clear to another machine, and says why nobody else reads it there. `check` shows it as accepted.',
)
