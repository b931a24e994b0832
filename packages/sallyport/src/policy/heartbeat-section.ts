import { HEARTBEAT_BYTES, PING_TYPE } from '../controls/message/heartbeat.ts'
import { type Fields, openFields, refuse } from '../shape/fields.ts'
import { readList } from '../shape/scalars.ts'
import { kindOf, pathTo, show } from '../shape/shown.ts'
import type { Policy, SchemaMap } from '../model/policy.ts'

const EXAMPLE = "{ text: 'ping', reply: 'pong' }"
const MOST = 8

type Pairs = Policy['message']['heartbeat']

/** `message.heartbeat`: texts that the guard answers itself. */
export function readHeartbeat(message: Fields, types: SchemaMap | null, discriminator: string): Pairs {
  const list = readList(message, 'heartbeat', EXAMPLE)
  if (list === undefined || list === null) return Object.freeze([])
  const at: Fields = { ...message, path: pathTo(message.path, 'heartbeat') }
  if (list.length > MOST) {
    refuse(message, 'heartbeat', `${list.length} entries`, `more than ${MOST}`, `write at most ${MOST}`)
    return Object.freeze([])
  }
  const pairs: Pairs[number][] = []
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

/** The type that a text names where it is a message in JSON. */
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
