import { IDENTITY_DEFAULT, identity } from './identity-shape.ts'
import { refuse } from './reading.ts'
import {
  choice,
  duration,
  either,
  flag,
  hiddenText,
  isObject,
  list,
  mapped,
  may,
  must,
  object,
  type Shape,
  size,
  text,
} from './shape.ts'
import * as checks from './text-checks.ts'

const fixed = <W extends string>(words: Shape<W>, shape: Shape<string>): Shape<W | { readonly fixed: string }> =>
  either<{ readonly fixed: string }, W>(
    isObject,
    object({ fixed: must(shape, 'write { fixed: … }', 'This one, whatever the client says.') }),
    words,
  )

const headerValue = hiddenText(checks.faultOfHeaderValue, "'1'")
const headers: Shape<{ readonly [name: string]: string }> = {
  read(reading, path, value) {
    if (!isObject(value)) {
      refuse(reading, path, value, {
        message: 'names and values are meant here',
        remedy: "write headers: { X-Tenant: 'a' }",
      })
      return undefined
    }
    const found: { [name: string]: string } = {}
    for (const [name, entry] of Object.entries(value)) {
      const fault = checks.faultOfHeader(name)
      if (fault !== null)
        refuse(reading, [...path, name], undefined, { message: fault, remedy: 'choose another name', atKey: true })
      const one = headerValue.read(reading, [...path, name], entry)
      if (one !== undefined) found[name] = one
    }
    return found
  },
  schema: { type: 'object', additionalProperties: headerValue.schema },
}
/** What the backend sees of the client. */
export const relay = mapped(
  object({
    host: may(
      fixed(choice('upstream', 'client'), text(checks.faultOfText, "'app.internal'")),
      'upstream' as const,
      'Host that the backend sees. Default: its own.',
    ),
    origin: may(
      fixed(choice('pass', 'strip'), text(checks.faultOfText, "'https://app.company.com'")),
      'pass' as const,
      'Origin that the backend sees. Default pass.',
    ),
    cookies: may(
      either<readonly string[], 'pass' | 'strip'>(
        Array.isArray,
        list(text(checks.faultOfCookieName, "'sid'"), 1, "'sid'"),
        choice('pass', 'strip'),
      ),
      'pass' as const,
      'Cookies that the backend sees: pass, strip, or a list of names.',
    ),
    path: may(
      text(checks.faultOfPlainPath, "'/socket'"),
      null,
      "Prefix in place of the route's. Default: the client's path.",
    ),
    headers: may(headers, () => ({}), 'Further headers for the backend; a client cannot forge them.'),
    dangerouslyPassHeaders: may(
      list(text(checks.faultOfClaim, "'X-User-Id'"), 0, "'X-User-Id'"),
      () => [],
      'Headers of the client that reach the backend although they claim an address, a scheme, a host or a user.',
    ),
    forwarded: may(flag, true, 'X-Forwarded-For, -Proto and -Host of what the gateway knows. Default true.'),
    identity: may(identity, () => IDENTITY_DEFAULT, 'Who the backend is told that the client is.'),
    messageBytes: may(size, 16 * 1024 * 1024, 'Greatest message of the backend. Default 16 MiB.'),
    bufferBytes: may(size, 256 * 1024, 'Bytes that may wait for a side that does not read. Default 256 KiB.'),
    stall: may(duration(), 30_000, 'How long a side may take nothing before the pair is closed. Default 30 s.'),
    heartbeat: may(
      either<false, number>(value => value === false, flag as Shape<false>, duration(1000)),
      30_000,
      'A backend that answers no ping within this time is lost; false: it is not pinged. Default 30 s.',
    ),
  }),
  ({ stall, heartbeat, ...rest }) => ({
    ...rest,
    stallMs: stall,
    heartbeatMs: heartbeat === false ? null : heartbeat,
  }),
)

/** The same where nothing is said. */
export const RELAY_DEFAULT = {
  host: 'upstream' as const,
  origin: 'pass' as const,
  cookies: 'pass' as const,
  path: null,
  headers: {},
  dangerouslyPassHeaders: [] as readonly string[],
  forwarded: true,
  identity: IDENTITY_DEFAULT,
  messageBytes: 16 * 1024 * 1024,
  bufferBytes: 256 * 1024,
  stallMs: 30_000,
  heartbeatMs: 30_000 as number | null,
}
