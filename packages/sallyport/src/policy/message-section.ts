import { PING_TYPE, PONG_TYPE } from '../controls/message/heartbeat.ts'
import { readBudget } from '../shape/budget.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { openChild, readFlag, readOff, refuse, refuseIdle } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import { readHeartbeat } from './heartbeat-section.ts'
import { readMessageRate } from './message-rate-section.ts'
import { readChoice, readCount, readEach, readFunction, readSize } from '../shape/scalars.ts'
import { type ReservedType, readSchema, readSchemaMap } from './schema-section.ts'
import { pathTo, show } from '../shape/shown.ts'
import type { Policy } from '../model/policy.ts'

/** Keys of `message`. */
export const MESSAGE_KEYS: readonly string[] = [
  'size',
  'rate',
  'format',
  'schema',
  'discriminator',
  'unknownFields',
  'strikes',
  'authorize',
  'concurrency',
  'outbound',
  'heartbeat',
]

/** The type of the first message in first-message mode; see docs/protocol.md. */
const FIRST: ReservedType = {
  type: 'auth',
  fault: "{ type: 'auth' } is the first message, which bears the ticket",
  remedy: 'choose another name, or another handshake.ticket.carrier',
}
const PING: ReservedType = {
  type: PING_TYPE,
  fault: 'the guard answers this type itself: it is the heartbeat of sallyport.v1',
  remedy: 'choose another name',
}
const PONG: ReservedType = {
  ...PING,
  type: PONG_TYPE,
  fault: 'the guard sends this type itself, as the answer to a heartbeat',
}
const FIRST_MESSAGE = "handshake.ticket.carrier: 'first-message'"
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

type Message = Policy['message']

/** `message`: what may pass. */
export function readMessage(message: Fields, handshake: Policy['handshake']): Message {
  const discriminator = readDiscriminator(message)
  const hasFirst = handshake.ticket?.carrier === 'first-message'
  const types = readSchema(message, hasFirst ? [FIRST, PING] : [PING])
  const unknownFields = readChoice(message, 'unknownFields', ['strip', 'refuse'], 'strip')
  const outbound = message.get('outbound') === undefined ? null : readSchemaMap(message, 'outbound', [PONG])
  const size = readMessageSize(message, hasFirst)
  const format = readFormat(message)
  if (types !== null) refuseUnparsed(message, format)
  return Object.freeze({
    size,
    rate: readMessageRate(message, { connections: capsOf(handshake), messageBytes: size.bytes, types }),
    format,
    schema: types === null ? null : Object.freeze({ types, discriminator, unknownFields }),
    discriminator,
    strikes: readCount(message, 'strikes', DEFAULTS.strikes, 1, 10_000),
    authorize: readFunction<NonNullable<Message['authorize']>>(message, 'authorize'),
    concurrency: readConcurrency(message),
    outbound: outbound === null ? null : Object.freeze({ types: outbound, discriminator }),
    heartbeat: readHeartbeat(message, types, discriminator),
  })
}

function readConcurrency(message: Fields): Message['concurrency'] {
  const section = openChild(message, 'concurrency', ['handlers', 'background', 'countListeners'])
  return Object.freeze({
    handlers: readCount(section, 'handlers', DEFAULTS.handlers, 1, 100_000),
    background: readCount(section, 'background', DEFAULTS.background, 1, 100_000),
    // A listener's promise tells nothing of its length: that of a subscription lasts as long as the connection.
    countListeners: readFlag(section, 'countListeners', false),
  })
}

function readDiscriminator(message: Fields): string {
  const value = message.get('discriminator')
  if (value === undefined) return DEFAULTS.discriminator
  if (typeof value === 'string' && /^[^\p{C}]{1,64}$/u.test(value) && !FORBIDDEN.has(value)) return value
  refuse(
    message,
    'discriminator',
    show(value),
    'not a key that can name the type',
    "write the key, such as 'type' or 'action'",
  )
  return DEFAULTS.discriminator
}

function readMessageSize(message: Fields, hasFirst: boolean): Message['size'] {
  const section = openChild(message, 'size', ['bytes', 'fragments', 'unauthenticatedBytes', 'controlFrames'])
  const bytes = readSize(section, 'bytes', DEFAULTS.messageBytes)
  const unauthenticatedBytes = readSize(section, 'unauthenticatedBytes', Math.min(DEFAULTS.unauthenticatedBytes, bytes))
  if (!hasFirst) refuseIdle(section, 'unauthenticatedBytes', FIRST_MESSAGE)
  if (unauthenticatedBytes > bytes) {
    const value = show(section.get('unauthenticatedBytes'))
    refuse(
      section,
      'unauthenticatedBytes',
      value,
      `more than a session gets (${bytes})`,
      'write less than message.size.bytes',
    )
  }
  return Object.freeze({
    bytes,
    fragments: readCount(section, 'fragments', DEFAULTS.fragments, 1, 1_000_000),
    unauthenticatedBytes,
    controlFrames: readBudget(section, 'controlFrames', 'frames', DEFAULTS.controlFrames),
  })
}

function readFormat(message: Fields): Message['format'] {
  const section = openChild(message, 'format', [
    'data',
    'depth',
    'width',
    'bigIntegers',
    'dangerouslyAllowKeys',
    'dangerouslyOff',
  ])
  const off = readOff(section, 'message/format')
  const allowKeys = readEach(section, 'dangerouslyAllowKeys', "'constructor'", (value, at, index) => {
    if (typeof value === 'string' && value !== '') return value
    refuse(at, index, show(value), 'a key is text', "write the key: 'constructor'")
    return null
  })
  if (allowKeys !== null && allowKeys.length > 0) {
    message.findings.weakened.push({ path: pathTo(section.path, 'dangerouslyAllowKeys'), control: 'message/format' })
  }
  const format = {
    data: readChoice(section, 'data', ['json', 'text', 'binary', 'any'], 'json'),
    // Above some thousands the recursion of any JSON parser ends in a stack overflow.
    depth: readCount(section, 'depth', DEFAULTS.depth, 1, 1000),
    width: readCount(section, 'width', DEFAULTS.width, 1, 1_000_000),
    allowKeys: allowKeys ?? Object.freeze([]),
    bigIntegers: readChoice(section, 'bigIntegers', ['refuse', 'text', 'bigint'], DEFAULTS.bigIntegers),
  }
  if (format.data !== 'json') refuseIdle(section, 'bigIntegers', "data: 'json'")
  return off ? null : Object.freeze(format)
}

/** A schema looks at parsed JSON: without it every message would be refused, or none looked at. */
function refuseUnparsed(message: Fields, format: Message['format']): void {
  if (format?.data === 'json') return
  const at: Fields = { ...message, path: pathTo(message.path, 'format') }
  const [key, value] = format === null ? ['dangerouslyOff', 'true'] : ['data', show(format.data)]
  refuse(
    at,
    key,
    value,
    'message.schema looks at parsed JSON',
    `remove it, or write message.schema: { dangerouslyAcceptAnyMessage: true }`,
  )
}

/** Nobody on a public endpoint is a known user: an address has as many connections as strangers may. */
function capsOf({ session, connections }: Policy['handshake']): Policy['handshake']['connections'] {
  if (connections === null || session !== null) return connections
  return { ...connections, perIp: Math.min(connections.perIp, connections.strangersPerIp) }
}
