import type { IncomingMessage } from 'node:http'
import { createControlContext } from '../../src/guard/control-context.ts'
import type { ControlContext } from '../../src/controls/context.ts'
import { type Attempt, newAttempt } from '../../src/model/attempt.ts'
import type { HandshakePolicy } from '../../src/controls/handshake/doors.ts'
import type { HandshakeControl } from '../../src/controls/handshake/handshake-control.ts'
import { PeerRequest } from '../../src/request/peer-request.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { Policy } from '../../src/policy/types.ts'
import type { Denial, Verdict } from '../../src/model/verdict.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/model/store.ts'
import { createTickets } from '../../src/ticket/token.ts'
import { policyWith } from '../policy/honest-policy.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

export const ORIGIN = 'https://app.company.com'

/** Header lines of an honest handshake, by name; a list is a repeated header, null leaves it out. */
export const HONEST: Readonly<Record<string, string>> = {
  Host: 'app.company.com',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  Origin: ORIGIN,
}

export interface Asked {
  readonly method?: string
  readonly httpVersion?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>
  readonly ip?: string
  readonly secure?: boolean
  readonly loopback?: boolean
}

/** A handshake: the honest one with what is asked laid over it. */
export function requestOf(asked: Asked = {}): PeerRequest {
  const lines = Object.entries({ ...HONEST, ...asked.headers }).flatMap(([name, value]) =>
    value === null ? [] : [value].flat().flatMap(line => [name, line]),
  )
  const { ip = '192.0.2.7', secure = true, loopback = false } = asked
  return new PeerRequest(
    asked.method ?? 'GET',
    asked.httpVersion ?? '1.1',
    asked.target ?? '/ws',
    lines,
    () => ({ ip, secure, loopback }),
    {} as IncomingMessage,
  )
}

let count = 0

export function attemptOf(asked: Asked = {}, known: Partial<Attempt> = {}): Attempt {
  return { ...newAttempt(`attempt-${++count}`, requestOf(asked)), ...known }
}

/** A parsed policy in which handshake sections are replaced: `{ rate: … }`. */
export function policyOf(handshake: Readonly<Record<string, unknown>> = {}, rest: object = {}): Policy {
  const changes = Object.fromEntries(Object.entries(handshake).map(([key, value]) => [`handshake.${key}`, value]))
  return parsePolicy({ ...policyWith(changes), ...rest })
}

export function partsOf(store: Store = createMemoryStore(), policy: Policy = policyOf()): ControlContext {
  return createControlContext(
    policy,
    { store, tickets: createTickets(null, { store, now: Date.now }, systemRuntime) },
    systemRuntime,
  )
}

/** Compiles one control and answers its verdicts; throws where the policy turned it off. */
export function compileControl(
  control: HandshakeControl<HandshakePolicy>,
  policy: Policy = policyOf(),
  parts: ControlContext = partsOf(undefined, policy),
): (attempt: Attempt) => Verdict | Promise<Verdict> {
  const check = control.compile(policy, parts)
  if (check === null) throw new Error(`${control.id} is off`)
  return check
}

/** `pass`, or the code of the denial. */
export function codeOf(verdict: Verdict): string {
  return verdict.pass ? 'pass' : (verdict as Denial).code
}
