import type { LiveConnection } from '../guard/live-connection.ts'
import type { Inside } from '../guard/registry.ts'
import type { MessageSubject } from '../message/message-control.ts'
import { createMessageDoor } from '../message/run.ts'
import { DENIALS } from '../policy/denials.ts'
import { type Denial, PASS, type Verdict } from '../policy/verdict.ts'

/** What of Socket.IO's socket is used. */
export interface EventSocket {
  use(middleware: (event: unknown[], next: (error?: Error) => void) => void): unknown
  emit(name: string, value: object): unknown
}

/** Events of one connection that are judged or wait for it: Socket.IO goes on reading meanwhile. */
interface Line {
  last: Promise<void> | null
  events: number
  bytes: number
}

/** Judges one event; what passed takes the place of what came, and then `proceed` is called. */
export type EventDoor = (live: LiveConnection, socket: EventSocket, event: unknown[], proceed: () => void) => void

/** The message door for events. A refused one is answered with the event `error` and its code; too many end the connection. */
export function createEventDoor({ core, observer }: Inside): EventDoor {
  const { policy, parts } = core
  const { discriminator, rate } = policy.message
  const lines = new WeakMap<LiveConnection, Line>()
  const door = createMessageDoor(policy, parts, (control, denial, enforced, _subject, connection) =>
    observer.denied(control, denial, enforced, connection as LiveConnection),
  )

  const refuse = (live: LiveConnection, socket: EventSocket, denial: Denial): void => {
    const row = DENIALS[denial.code]
    if (row.control === 'message/rate' && rate?.exceed === 'drop') return
    socket.emit('error', { code: denial.code })
    if (row.action !== 'reply') {
      live.close(row.close ?? 1008, denial.code)
      return
    }
    live.strike()
  }

  return (live, socket, event, proceed) => {
    if (live.readyState !== 1) return
    const text = textOf(event, discriminator)
    const subject: MessageSubject = { bytes: Buffer.byteLength(text), text, data: null, value: undefined, type: null }
    live.lastMessageAt = parts.now()
    const judge = (): Verdict | Promise<Verdict> => {
      // It may have ended while it waited: nobody is asked for it any more.
      if (live.readyState !== 1) return PASS
      live.judgedAt = parts.now()
      return door(subject, live)
    }
    observer.received(subject.bytes)
    const settle = (verdict: Verdict): void => {
      if (live.readyState !== 1) return
      if (!verdict.pass) return refuse(live, socket, verdict)
      replaceArgument(event, subject.value, discriminator)
      proceed()
    }
    const line = lines.get(live) ?? { last: null, events: 0, bytes: 0 }
    const verdict = line.last === null ? judge() : line.last.then(judge)
    if (!(verdict instanceof Promise)) return settle(verdict)
    line.events++
    line.bytes += subject.bytes
    // Events of one connection never overtake each other.
    const turn = verdict.then(settle).then(() => {
      line.events--
      line.bytes -= subject.bytes
      if (line.last === turn) lines.delete(live)
    })
    line.last = turn
    lines.set(live, line)
    live.boundWaiting(line.events, line.bytes)
  }
}

/** The event as one message: its argument, with its name as the type. What is not of this form becomes one that no policy lets in. */
function textOf(event: readonly unknown[], discriminator: string): string {
  const [name, ...given] = event
  const values = typeof given.at(-1) === 'function' ? given.slice(0, -1) : given
  const [value = {}] = values
  const isMessage = values.length < 2 && isPlain(value) && [undefined, name].includes(value[discriminator])
  try {
    return JSON.stringify(isMessage ? { ...value, [discriminator]: name } : [name, ...values])
  } catch {
    // Nested deeper than it can be written down: whatever threw here would end the process.
    return '[]'
  }
}

/** Puts what was checked in the place of what came. The name is not said twice, unless it came that way. */
function replaceArgument(event: unknown[], value: unknown, discriminator: string): void {
  const came = event[1]
  if (!isPlain(came) || !isPlain(value)) return
  const { [discriminator]: _name, ...rest } = value
  event[1] = Object.hasOwn(came, discriminator) ? value : rest
}

function isPlain(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
}
