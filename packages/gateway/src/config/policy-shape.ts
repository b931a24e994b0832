import { CONTROLS } from 'sallyport/policy'
import type { Path } from './path.ts'
import { readMounted, type Reading, refuse } from './reading.ts'
import { readSchemas } from './schema-files.ts'
import { faultOfBareTime, type Field, isObject, may, type Shape } from './shape.ts'

/** What stands for a function of the app in TypeScript, and where the gateway has it instead. */
const ELSEWHERE: { readonly [path: string]: string } = {
  'handshake.session': 'write `session` beside `handshake`, in the route',
  'handshake.authorize':
    'a rule of the app cannot be written in YAML: let the endpoint of session.forwardAuth decide, or the backend',
  'handshake.ticket.csrf': "tickets of the gateway's own endpoint stand for it: remove it",
  'message.authorize': 'a rule of the app cannot be written in YAML: let the backend decide by the identity headers',
}
/** Paths of times. */
const TIMES: ReadonlySet<string> = new Set([
  'timeout',
  ...CONTROLS.flatMap(({ keys }) =>
    keys.flatMap(({ key, type }) => (type === 'Duration' ? [key] : /\bper\b/.test(type) ? [`${key}.per`] : [])),
  ),
])
/** Paths whose text is a secret. */
const SECRETS: ReadonlySet<string> = new Set(['handshake.ticket.secret'])

/**
 * A section of the library's policy: handed on as it is, for the library to judge. Only what YAML cannot say is done
 * here: mounted secrets, schema files, and numbers and booleans that came as text from the environment.
 */
export function policySection(section: string): Shape<unknown> {
  return { read: (reading, path, value) => copy(reading, path, [section], value), schema: schemaOf(section) }
}

function copy(reading: Reading, path: Path, inside: readonly string[], value: unknown): unknown {
  const place = inside.join('.')
  const elsewhere = ELSEWHERE[place]
  if (elsewhere !== undefined) {
    refuse(reading, path, undefined, { message: 'not a key of a policy in a file', remedy: elsewhere, atKey: true })
    return undefined
  }
  if (place === 'message.schema' || place === 'message.outbound') return readSchemas(reading, path, value)
  if (Array.isArray(value)) return value.map((item, index) => copy(reading, [...path, index], inside, item))
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [
        key,
        copy(reading, [...path, key], [...inside, key], entry) ?? undefined,
      ]),
    )
  }
  if (typeof value !== 'string') return plain(reading, path, place, value)
  if (SECRETS.has(place)) return value.startsWith('file:') ? readMounted(reading, path, value) : value
  if (reading.document.from(path) === null) return value
  if (value === 'true' || value === 'false') return value === 'true'
  return /^\d{1,15}$/.test(value) ? plain(reading, path, place, Number(value)) : value
}

function plain(reading: Reading, path: Path, place: string, value: unknown): unknown {
  const bare = TIMES.has(place) ? faultOfBareTime(value) : null
  if (bare === null) return value
  refuse(reading, path, value, bare)
  return undefined
}

const RATE = { type: 'object', properties: { per: { type: ['string', 'integer'] }, burst: { type: 'integer' } } }

const TEXT_PAIR = {
  type: 'object',
  properties: { text: { type: 'string' }, reply: { type: 'string' } },
  required: ['text', 'reply'],
  additionalProperties: false,
}

function typeOf(type: string): { readonly [keyword: string]: unknown } {
  if (type === 'boolean') return { type: 'boolean' }
  if (type === 'number') return { type: 'integer' }
  if (type === 'string') return { type: 'string' }
  if (type === 'string[]') return { type: 'array', items: { type: 'string' } }
  if (type === 'string or string[]') return { type: ['string', 'array'], items: { type: 'string' } }
  if (type === 'Size' || type === 'Duration') return { type: ['string', 'integer'] }
  if (type === '{ text, reply }[]') return { type: 'array', items: TEXT_PAIR }
  const words = [...type.matchAll(/'([\w-]+)'/g)].map(([, word]) => word)
  if (words.length > 1) return { enum: words }
  const [, unit] = /^\{ (\w+), per/.exec(type) ?? []
  if (unit !== undefined)
    return { ...RATE, properties: { [unit]: { type: 'integer' }, ...RATE.properties }, additionalProperties: false }
  return {}
}

interface Node {
  type?: unknown
  additionalProperties?: unknown
  properties?: { [key: string]: Node }
  description?: string
}

/** JSON Schema of a section, from the table of controls. */
function schemaOf(section: string): { readonly [keyword: string]: unknown } {
  if (section === 'proxy') {
    return {
      type: 'object',
      additionalProperties: false,
      required: ['trust'],
      properties: {
        trust: { type: 'array', items: { type: 'string' } },
        header: { enum: ['x-forwarded-for', 'forwarded'] },
      },
    }
  }
  if (section === 'report') {
    return { anyOf: [{ type: 'boolean' }, { type: 'array', items: { enum: CONTROLS.map(({ id }) => id) } }] }
  }
  if (section === 'timeout') return typeOf('Duration')
  const root: Node = { type: 'object', additionalProperties: false, properties: {} }
  for (const { key, type, default: fallback, meaning } of CONTROLS.flatMap(control => control.keys)) {
    const path = key.split('.')
    if (path[0] !== section || path.length === 1 || isElsewhere(key)) continue
    let node = root
    for (const part of path.slice(1)) node = (node.properties ??= {})[part] ??= {}
    Object.assign(node, typeOf(type), { description: `${meaning} Default: ${fallback}.` })
  }
  close(root)
  return { ...root }
}

const isElsewhere = (key: string): boolean =>
  Object.keys(ELSEWHERE).some(path => key === path || key.startsWith(`${path}.`))

/** An object of known keys has no others, except schemas by type of message. */
function close(node: Node): void {
  if (node.properties === undefined) return
  const isMap = Object.hasOwn(node.properties, 'dangerouslyAcceptAnyMessage')
  if (node.type === undefined)
    node.type = Object.keys(node.properties).includes('threshold')
      ? ['boolean', 'object']
      : isMap
        ? ['object', 'string']
        : 'object'
  if (!isMap) node.additionalProperties = false
  for (const child of Object.values(node.properties)) close(child)
}

const section = (name: string, doc: string): Field<unknown> => may(policySection(name), undefined, doc)

/** The sections of a policy, as keys of a route. */
export const POLICY_SECTIONS = {
  handshake: section('handshake', 'Who may open: see docs/controls/handshake.'),
  message: section('message', 'What may pass: see docs/controls/message.'),
  lifetime: section('lifetime', 'What ends a connection: see docs/controls/lifetime.'),
  report: section('report', 'Report mode: true, or ids of controls that say what they would deny and deny nothing.'),
  timeout: section('timeout', 'Longest wait for a control that asks others, such as the session. Default 5 s.'),
} as const
