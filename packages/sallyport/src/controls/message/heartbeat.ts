import type { SchemaMap } from '../../model/schema-kinds.ts'
import type { Budget } from '../../model/store.ts'
import { type Fields, openFields, refuse } from '../../shape/fields.ts'
import { readList } from '../../shape/scalars.ts'
import { type Key, key } from '../../shape/shape.ts'
import { kindOf, pathTo, show } from '../../shape/shown.ts'
import type { MessageOf } from './message-control.ts'

/** The subprotocol whose clients may send the heartbeat below. */
export const HEARTBEAT_PROTOCOL = 'sallyport.v1'
/** The type of the heartbeat of `sallyport.v1`, and the type of its answer. No message of an app may use them. */
export const PING_TYPE = 'sallyport.ping'
export const PONG_TYPE = 'sallyport.pong'
/** Greatest length of a heartbeat and of its answer, in bytes. */
export const HEARTBEAT_BYTES = 64
/** Budget of heartbeats of one connection, separate from its message budget. A silent page sends a quarter of it. */
export const HEARTBEAT_BUDGET: Budget = Object.freeze({ amount: 12, perMs: 60_000, burst: 12 })

/** The exact text of a heartbeat, and the text that answers it. */
export interface Heartbeat {
  readonly text: string
  readonly bytes: Buffer
  readonly reply: string
  /** The subprotocol that must have been negotiated. Null if the policy declares the heartbeat. */
  readonly protocol: string | null
}

/** Compiles the heartbeats of a policy: the one of `sallyport.v1`, and those of `message.heartbeat`. */
export function compileHeartbeats({ message }: MessageOf<{ heartbeat: Heartbeats }>): readonly Heartbeat[] {
  const own = { text: JSON.stringify({ type: PING_TYPE }), reply: JSON.stringify({ type: PONG_TYPE }) }
  return [
    ...message.heartbeat.map(pair => ({ ...pair, protocol: null })),
    { ...own, protocol: HEARTBEAT_PROTOCOL },
  ].map(({ text, reply, protocol }) => ({ text, bytes: Buffer.from(text), reply, protocol }))
}

/** The heartbeat in `bytes[start..end)`. Undefined for any other message. Fast if the length differs. */
export function heartbeatIn(
  heartbeats: readonly Heartbeat[],
  bytes: Buffer,
  start: number,
  end: number,
): Heartbeat | undefined {
  const length = end - start
  for (const heartbeat of heartbeats) {
    const expected = heartbeat.bytes
    if (expected.length !== length || expected[0] !== bytes[start]) continue
    // Compares from the end, where messages of the same length usually differ. For so few bytes a call to Buffer is
    // slower.
    let index = length - 1
    while (index > 0 && bytes[start + index] === expected[index]) index--
    if (index === 0) return heartbeat
  }
  return undefined
}

const EXAMPLE = "{ text: 'ping', reply: 'pong' }"
const MOST = 8

/** `message.heartbeat` of a policy: texts, and what answers them. */
export type Heartbeats = readonly { readonly text: string; readonly reply: string }[]

const TEXT_PAIR = {
  type: 'object',
  properties: { text: { type: 'string' }, reply: { type: 'string' } },
  required: ['text', 'reply'],
  additionalProperties: false,
}

/** `message.heartbeat`, a key next to `message.rate`. */
export const HEARTBEAT: Key<Heartbeats, Heartbeats> = key<Heartbeats, Heartbeats>(
  {
    type: '{ text, reply }[]',
    schema: { type: 'array', items: TEXT_PAIR },
    read: (message, _name, fallback) => readHeartbeats(message, null, 'type') ?? fallback,
    words: () => 'none',
  },
  [],
  `Texts that the guard answers itself, for clients that do not see pings. Each is at most ${HEARTBEAT_BYTES} bytes. They have a budget of their own: ${HEARTBEAT_BUDGET.amount} a minute for each connection. The heartbeat of \`sallyport.v1\` is always answered.`,
)

/** Reads `message.heartbeat`: texts that the guard answers itself. */
export function readHeartbeats(message: Fields, types: SchemaMap | null, discriminator: string): Heartbeats {
  const list = readList(message, 'heartbeat', EXAMPLE)
  if (list === undefined || list === null) return Object.freeze([])
  const at: Fields = { ...message, path: pathTo(message.path, 'heartbeat') }
  if (list.length > MOST) {
    refuse(message, 'heartbeat', `${list.length} entries`, `more than ${MOST}`, `write at most ${MOST}`)
    return Object.freeze([])
  }
  const pairs: Heartbeats[number][] = []
  list.forEach((given, index) => {
    const path = pathTo(at.path, index)
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      refuse(at, index, kindOf(given), 'a text and its answer are meant here', `write ${EXAMPLE}`)
      return
    }
    const fields = openFields(given, path, ['text', 'reply'], message.findings)
    const text = readText(fields, 'text')
    const reply = readText(fields, 'reply')
    if (text === null || reply === null) return
    const type = typeIn(text, discriminator)
    if (pairs.some(pair => pair.text === text)) {
      refuse(fields, 'text', show(text), 'the same text stands here twice', 'write each text once')
    } else if (type !== null && types !== null && Object.hasOwn(types, type)) {
      const fault = `message.schema declares the type ${show(type)}: the app would no longer get this message`
      refuse(fields, 'text', show(text), fault, 'write a text of another type, or remove the type from message.schema')
    } else if (type === PING_TYPE) {
      refuse(fields, 'text', show(text), 'this type is the heartbeat of sallyport.v1', 'write a text of another type')
    } else {
      pairs.push(Object.freeze({ text, reply }))
    }
  })
  return Object.freeze(pairs)
}

function readText(fields: Fields, key: 'text' | 'reply'): string | null {
  const value = fields.get(key)
  const write = `write a text of 1 to ${HEARTBEAT_BYTES} bytes, such as ${key === 'text' ? "'ping'" : "'pong'"}`
  if (typeof value !== 'string') {
    refuse(fields, key, value === undefined ? 'nothing' : kindOf(value), 'a text is meant here', write)
    return null
  }
  const bytes = Buffer.byteLength(value)
  if (bytes >= 1 && bytes <= HEARTBEAT_BYTES && value.isWellFormed()) return value
  const fault = value.isWellFormed() ? `it is ${bytes} bytes long` : 'it holds a lone surrogate'
  refuse(fields, key, bytes > HEARTBEAT_BYTES ? `a text of ${value.length} characters` : show(value), fault, write)
  return null
}

/** The type in a text, if the text is a JSON message. */
function typeIn(text: string, discriminator: string): string | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, discriminator)) return null
    const type: unknown = Reflect.get(value, discriminator)
    return typeof type === 'string' ? type : null
  } catch {
    return null
  }
}
