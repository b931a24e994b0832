import type { IncomingMessage } from 'node:http'
import { createCore } from '../guard/core.ts'
import { createObserver } from '../guard/observer.ts'
import type { SallyEvent } from '../model/event.ts'
import type { DenialCode } from '../policy/denials.ts'
import type { Policy } from '../policy/types.ts'
import { systemRuntime } from '../model/system-runtime.ts'
import type { Code, ControlId } from '../model/verdict.ts'
import { describeDenial } from './describe.ts'

/** A handshake that is tried. */
export interface Asked {
  readonly host: string
  readonly path: string
  /** Null: the request has no Origin. */
  readonly origin: string | null
  readonly ip: string
  /** Over TLS. */
  readonly secure: boolean
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The user of the session; null: there is no session. */
  readonly user: string | null
  readonly ticket: boolean
}

/** A control that denies. */
export interface Decision {
  readonly control: ControlId
  readonly code: Code
  readonly why: string
  readonly remedy: string
  /** What the client sees: `HTTP 403`. */
  readonly answer: string
}

/** What the handshake door decides. */
export interface Explanation {
  readonly pass: boolean
  /** The control that denies; null where none does. In report mode the handshake passes all the same. */
  readonly decides: Decision | null
  /** Controls behind it that would deny too. */
  readonly alsoDenies: readonly Decision[]
}

const TOKEN = 'explained'

/** Runs a handshake through the controls of a policy: unchanged, then in report mode to hear the others too. */
export async function replayHandshake(policy: Policy, asked: Asked): Promise<Explanation> {
  const alone = standAlone(policy, asked)
  const stands = await runOnce(alone, asked)
  const reports = await runOnce({ ...alone, report: 'all' }, asked)
  const decides = stands.heard[0] ?? null
  const others = reports.heard.filter(({ control }) => control !== decides?.control)
  return { pass: stands.pass, decides, alsoDenies: decides === null ? [] : others }
}

/** The policy with a session and a ticket that need nobody, and without store and log. */
function standAlone(policy: Policy, asked: Asked): Policy {
  const { handshake } = policy
  const session =
    handshake.session === null
      ? null
      : Object.assign(() => (asked.user === null ? null : { id: 'explain', user: asked.user }), {
          ambient: handshake.session.ambient ?? true,
        })
  const ticket = handshake.ticket === null ? null : { ...handshake.ticket, csrf: (token: string) => token === TOKEN }
  return {
    ...policy,
    name: `${policy.name} (explained)`,
    handshake: { ...handshake, session, ticket },
    store: null,
    events: { ...policy.events, log: null },
  }
}

async function runOnce(policy: Policy, asked: Asked): Promise<{ readonly pass: boolean; readonly heard: Decision[] }> {
  const observer = createObserver(policy, systemRuntime)
  const heard: Decision[] = []
  observer.events.on(event => {
    const decision = decisionOf(event)
    if (decision !== null && heard.every(({ control }) => control !== decision.control)) heard.push(decision)
  })
  const core = createCore(policy, systemRuntime, observer)
  const admittance = await core.admit(core.fromNode(requestOf(asked, policy)))
  if (admittance.pass) core.abandon(admittance)
  return { pass: admittance.pass, heard }
}

function decisionOf({ kind, control, code, detail = '', remedy }: SallyEvent): Decision | null {
  if (kind !== 'denial' || code === undefined) return null
  const denial = describeDenial(code as DenialCode)
  return {
    control: control ?? denial.control,
    code,
    why: detail === '' ? denial.means : `${denial.means}: ${detail}`,
    remedy: remedy ?? denial.remedy,
    answer: denial.answer,
  }
}

/** What the controls read of Node's request. Its socket is the peer that was asked about. */
function requestOf(asked: Asked, policy: Policy): IncomingMessage {
  const { ticket, subprotocol } = policy.handshake
  const bearer = asked.ticket ? ticket : null
  const lines: (readonly [string, string])[] = [
    ['Host', asked.host],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='], // RFC 6455 §1.3
  ]
  if (asked.origin !== null) lines.push(['Origin', asked.origin])
  const offered = asked.headers.filter(([name]) => isProtocol(name)).map(([, value]) => value)
  const first = subprotocol?.serve[0]
  if (bearer?.carrier === 'subprotocol') {
    if (offered.length === 0 && first !== undefined) offered.push(first)
    offered.push(`sallyport.ticket.${TOKEN}`)
  }
  lines.push(...asked.headers.filter(([name]) => !isProtocol(name)))
  if (offered.length > 0) lines.push(['Sec-WebSocket-Protocol', offered.join(', ')])
  const query = bearer?.carrier === 'query' ? `${asked.path.includes('?') ? '&' : '?'}${bearer.parameter}=${TOKEN}` : ''
  return {
    method: 'GET',
    httpVersion: '1.1',
    httpVersionMajor: 1,
    url: asked.path + query,
    rawHeaders: lines.flat(),
    headers: Object.fromEntries(lines.map(([name, value]) => [name.toLowerCase(), value])),
    socket: { remoteAddress: asked.ip, encrypted: asked.secure, destroyed: false },
  } as unknown as IncomingMessage
}

const isProtocol = (name: string): boolean => name.toLowerCase() === 'sec-websocket-protocol'
