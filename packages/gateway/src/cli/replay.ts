import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request as ask, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createGuard,
  type DenialCode,
  DENIALS,
  type Guard,
  type PolicyInput,
  type SallyEvent,
  type SessionResolver,
} from 'sallyport'
import { alteredText, embed, type MessageSubject, refuseSocket } from 'sallyport/embed'
import {
  closePayload,
  FIN,
  frameSize,
  OPCODE,
  textFrameRoom,
  writeMaskedFrame,
  writeMaskedTextFrame,
} from 'sallyport/wire'
import { policyInputOf } from '../config/route-policy.ts'
import type { GatewayConfig, RouteConfig } from '../model/config.ts'
import { resolverOf } from '../session/resolver.ts'

/** What is replayed. */
export interface Replayed {
  readonly host: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly ip: string
  readonly secure: boolean
  /** Who the session is; null: nobody. */
  readonly user: string | null
  readonly ticket: boolean
  readonly message: string | null
}

/** A control that denies. */
export interface Decision {
  readonly control: string
  readonly code: string
  readonly why: string
  readonly remedy: string
  /** What the client sees: `403`, `close 1008`. */
  readonly answer: string
  readonly enforced: boolean
}

/** One step. */
export interface Step {
  /** The first control that denies; null where none does. */
  readonly decides: Decision | null
  /** Those behind it that would deny too. */
  readonly alsoDenies: readonly Decision[]
  /** What the backend receives. */
  readonly passedOn?: string
}

export interface Explanation {
  readonly pass: boolean
  readonly handshake: Step
  /** Null where there was none, or the handshake was refused. */
  readonly message: Step | null
}

/** A handshake that takes longer is stuck: nothing is asked of anybody. */
const PATIENCE_MS = 10_000
const TOKEN = 'explained'

/**
 * Runs one handshake, and one message behind it, through the doors themselves, on a socket that only this process has:
 * first as the policy stands, then with every control only reporting, so that those behind the first denial are heard too.
 */
export async function replay(config: GatewayConfig, route: RouteConfig, asked: Replayed): Promise<Explanation> {
  const input = policyFor(config, route, asked)
  const stands = await runOnce(createGuard(input), asked)
  const reports = await runOnce(createGuard({ ...input, report: true }), asked)
  const handshake = stepOf(stands.handshake, reports.handshake)
  const isOpen = handshake.decides === null || !handshake.decides.enforced
  const message =
    asked.message === null || !isOpen
      ? null
      : {
          ...stepOf(stands.message, reports.message),
          ...(stands.passedOn === null ? {} : { passedOn: stands.passedOn }),
        }
  return { pass: !denied(handshake) && !denied(message), handshake, message }
}

/** The policy with a session that is found without asking the app, and a ticket that is good without having been issued. */
function policyFor(config: GatewayConfig, route: RouteConfig, asked: Replayed): PolicyInput {
  const resolver = resolverOf(route.session)
  const found: SessionResolver | { readonly dangerouslyAnonymous: true } =
    typeof resolver === 'function'
      ? Object.assign(() => (asked.user === null ? null : { id: 'explain', user: asked.user }), {
          ambient: resolver.ambient ?? true,
        })
      : resolver
  const input = policyInputOf(route, config, found)
  const { ticket } = input.handshake
  const isOn = ticket !== undefined || (typeof resolver === 'function' && resolver.ambient !== false)
  if (!isOn || ticket?.dangerouslyWithoutTicket === true) return input
  return { ...input, handshake: { ...input.handshake, ticket: { ...ticket, csrf: token => token === TOKEN } } }
}

const denied = (step: Step | null): boolean => step?.decides?.enforced === true

interface Heard {
  readonly handshake: Decision[]
  readonly message: Decision[]
  passedOn: string | null
}

const BEHIND_HANDSHAKE = /^(?:message|lifetime)\//

async function runOnce(guard: Guard, asked: Replayed): Promise<Heard> {
  const heard: Heard = { handshake: [], message: [], passedOn: null }
  guard.on(event => {
    if (event.kind !== 'denial' || event.code === undefined) return
    const decision = decisionOf(event)
    if (BEHIND_HANDSHAKE.test(decision.control)) heard.message.push(decision)
    else heard.handshake.push(decision)
  })
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-explain-'))
  const path = join(folder, 'socket')
  const server = createServer()
  server.on(
    'upgrade',
    (request: IncomingMessage, socket: Socket, head: Buffer) => void take(guard, asked, heard, request, socket, head),
  )
  try {
    await new Promise<void>(resolve => {
      server.listen(path, resolve)
    })
    await converse(path, guard, asked)
  } finally {
    await closed(server)
    rmSync(folder, { recursive: true, force: true })
  }
  return heard
}

async function take(
  guard: Guard,
  asked: Replayed,
  heard: Heard,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): Promise<void> {
  socket.on('error', () => socket.destroy())
  const doors = embed(guard)
  // As if it had come from there: the socket itself is ours.
  const seen = Object.create(request, {
    socket: { value: { remoteAddress: asked.ip, encrypted: asked.secure } },
  }) as IncomingMessage
  const admittance = await doors.admit(doors.view(seen), head.length > 0)
  if (!admittance.pass) {
    refuseSocket(socket, admittance)
    return
  }
  const delivery = {
    takesBytes: true,
    message(subject: MessageSubject): void {
      const { text, data, altered } = subject
      heard.passedOn = altered === true ? alteredText(subject, true) : (text ?? `${data?.byteLength ?? 0} bytes`)
    },
  }
  doors.accept(admittance, { socket, head, delivery, subprotocol: admittance.attempt.subprotocol })
}

/** The client's half: the handshake, the message, a close. Resolves when the socket has ended. */
function converse(socketPath: string, guard: Guard, asked: Replayed): Promise<void> {
  const { ticket } = guard.policy.handshake
  const bearer = asked.ticket ? ticket : null
  const headers: string[] = [
    'Host',
    asked.host,
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
    'Sec-WebSocket-Version',
    '13',
    'Sec-WebSocket-Key',
    'dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const given = asked.headers.filter(([name]) => name.toLowerCase() !== 'sec-websocket-protocol').flat()
  const offered = asked.headers
    .filter(([name]) => name.toLowerCase() === 'sec-websocket-protocol')
    .map(([, value]) => value)
  if (bearer?.carrier === 'subprotocol') offered.push(`sallyport.ticket.${TOKEN}`)
  const serves = guard.policy.handshake.subprotocol?.serve[0]
  if (offered.length > 0 && offered.every(name => name.startsWith('sallyport.ticket.')) && serves !== undefined)
    offered.unshift(serves)
  headers.push(...given, ...(offered.length > 0 ? ['Sec-WebSocket-Protocol', offered.join(', ')] : []))
  const path =
    bearer?.carrier === 'query'
      ? `${asked.path}${asked.path.includes('?') ? '&' : '?'}${bearer.parameter}=${TOKEN}`
      : asked.path
  const first = bearer?.carrier === 'first-message' ? [JSON.stringify({ type: 'auth', csrfToken: TOKEN })] : []

  return new Promise((resolve, reject) => {
    const request = ask({ socketPath, path, method: 'GET', headers, timeout: PATIENCE_MS, setDefaultHeaders: false })
    request.on('response', response => {
      response.resume()
      response.on('close', resolve)
    })
    request.on('upgrade', (_, socket) => {
      socket.setTimeout(PATIENCE_MS, () => socket.destroy())
      socket.on('error', () => socket.destroy())
      socket.on('close', () => resolve())
      socket.resume()
      for (const text of [...first, ...(asked.message === null ? [] : [asked.message])]) {
        const frame = Buffer.alloc(textFrameRoom(text) + 4)
        socket.write(frame.subarray(0, writeMaskedTextFrame(frame, 0, text)))
      }
      const payload = closePayload(1000, '')
      const close = Buffer.alloc(frameSize(payload.length) + 4)
      socket.write(close.subarray(0, writeMaskedFrame(close, 0, FIN | OPCODE.close, payload)))
    })
    request.on('timeout', () => request.destroy(new Error('the replay is stuck')))
    request.on('error', reject)
    request.end()
  })
}

function decisionOf({
  control = 'handshake/request',
  code = 'SALLY_CONTROL_FAILED',
  detail = '',
  remedy = '',
  enforced = true,
}: SallyEvent): Decision {
  const row = DENIALS[code as DenialCode]
  const inside = BEHIND_HANDSHAKE.test(control)
  const answer = !inside
    ? String(row.http ?? 403)
    : row.action === 'close' || row.action === 'terminate'
      ? `close ${row.close}`
      : row.action === 'reply'
        ? 'error reply'
        : row.action
  return { control, code, why: detail === '' ? row.means : `${row.means}: ${detail}`, remedy, answer, enforced }
}

function stepOf(stands: readonly Decision[], reports: readonly Decision[]): Step {
  const decides = stands[0] ?? null
  const also = reports.filter(({ control }) => control !== decides?.control)
  return {
    decides,
    alsoDenies:
      decides === null
        ? []
        : also.filter(({ control }, index) => also.findIndex(other => other.control === control) === index),
  }
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
