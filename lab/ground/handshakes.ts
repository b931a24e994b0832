import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** A handshake as the victim's server saw it. Values of cookies are masked: that one came is what matters. */
export interface Handshake {
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** `101 Switching Protocols`, or the refusal; null while there is no answer. */
  answer: string | null
}

const SHOWN = 300
const HIDDEN: Readonly<Record<string, (value: string) => string>> = {
  cookie: value => value.replace(/=[^;]*/g, '=…'),
  'sec-websocket-key': () => '…',
  'sec-websocket-protocol': value => value.replace(/(sallyport\.ticket\.)[^,\s]+/g, '$1…'),
}

/** Notes an upgrade request, and the first line of what is answered to it. */
export function observe(request: IncomingMessage, socket: Duplex): Handshake {
  const headers: [string, string][] = []
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at]!
    const value = request.rawHeaders[at + 1]!
    headers.push([name, (HIDDEN[name.toLowerCase()]?.(value) ?? value).slice(0, SHOWN)])
  }
  const target = (request.url ?? '').replace(/([?&](?:ticket|token|csrf)=)[^&]*/g, '$1…').slice(0, SHOWN)
  const handshake: Handshake = { target, headers, answer: null }
  // The first thing written to the socket is the answer, whoever writes it.
  for (const name of ['write', 'end'] as const) {
    const own = socket[name] as (...given: unknown[]) => unknown
    socket[name] = function (this: Duplex, ...given: unknown[]): unknown {
      handshake.answer ??= firstLine(given[0])
      return own.apply(this, given)
    } as never
  }
  return handshake
}

function firstLine(chunk: unknown): string | null {
  if (typeof chunk !== 'string' && !Buffer.isBuffer(chunk)) return null
  const text = String(chunk.slice(0, 200))
  return /^HTTP\/1\.1 (.*)/.exec(text)?.[1]?.trim() ?? null
}
