import { nearest } from './nearest.ts'
import type { Findings } from './problem.ts'
import { kindOf, pathTo } from './shown.ts'
import type { ControlId } from './verdict.ts'

/** One object of the policy after its keys were read once: own keys alone, unknown ones told. */
export interface Fields {
  readonly path: string
  readonly findings: Findings
  /** Undefined where the key is unsaid. */
  get(key: string): unknown
}

/** Own keys of one object of the policy that are looked at; an object of more is no policy. */
const MOST_KEYS = 1000

/**
 * Reads an object of the policy. Only own keys count, so that a polluted prototype weakens nothing; getters are called
 * once; a Proxy or getter that throws is a problem like any other. An unsaid object is an empty one.
 */
export function openFields(value: unknown, path: string, known: readonly string[], findings: Findings): Fields {
  const said = new Map<string, unknown>()
  for (const [key, entry] of entriesOf(value, path, findings)) {
    if (known.includes(key)) {
      if (entry !== undefined) said.set(key, entry)
    } else {
      findings.problems.push(unknownKey(path, key, entry, known))
    }
  }
  return { path, findings, get: key => said.get(key) }
}

/** The object of the policy at a key of another one. */
export function openChild(parent: Fields, key: string, known: readonly string[]): Fields {
  return openFields(parent.get(key), pathTo(parent.path, key), known, parent.findings)
}

/** What to write where something else than an object stands. */
const EXAMPLES: Readonly<Record<string, string>> = {
  '': '{ handshake: { … }, message: { … } }',
  proxy: "proxy: { trust: ['10.0.0.5'] }",
  events: 'events: { log: pino() }',
  'handshake.host': "host: { allow: ['api.company.com'] }",
  'handshake.subprotocol': "subprotocol: { serve: ['chat.v1'] }",
  'handshake.rate': "rate: { perIp: { attempts: 30, per: '1 minute' } }",
  'handshake.connections': 'connections: { perUser: 10 }',
  'handshake.ticket': 'ticket: { secret: process.env.TICKET_SECRET }',
  'message.size': "size: { bytes: '64 KiB' }",
  'message.rate': "rate: { messages: 100, per: '1 minute' }",
  'message.format': "format: { data: 'json' }",
  'message.concurrency': 'concurrency: { handlers: 16 }',
  'lifetime.heartbeat': "heartbeat: { interval: '30 seconds' }",
  'lifetime.idle': "idle: { after: '15 minutes' }",
  'lifetime.age': "age: { max: '12 hours' }",
  'lifetime.session': "session: { recheck: '1 minute' }",
}

/** Own entries of an object, in order; none, and a problem, where there is no readable plain object. */
export function entriesOf(value: unknown, path: string, findings: Findings): readonly (readonly [string, unknown])[] {
  if (value === undefined) return []
  const fault = (message: string, remedy: string): readonly [] => {
    findings.problems.push({ path: path || 'policy', value: kindOf(value), message, remedy })
    return []
  }
  try {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return fault('an object is meant here', `write ${EXAMPLES[path] ?? '{ … }'}`)
    }
    const keys = Reflect.ownKeys(value)
    if (keys.length > MOST_KEYS) return fault(`more than ${MOST_KEYS} keys`, 'write the keys that are documented')
    return keys.flatMap(key => {
      if (typeof key === 'symbol') {
        fault('a symbol is no key of a policy', 'remove it')
        return []
      }
      return [[key, readKey(value, key, path, findings)] as const]
    })
  } catch {
    return fault('it cannot be read: looking at its keys throws', 'write a plain object')
  }
}

function readKey(holder: object, key: string, path: string, findings: Findings): unknown {
  try {
    return Reflect.get(holder, key)
  } catch {
    findings.problems.push({
      path: pathTo(path, key),
      value: 'an unreadable value',
      message: 'reading it throws',
      remedy: 'write a plain value',
    })
    return undefined
  }
}

function unknownKey(path: string, key: string, value: unknown, known: readonly string[]): Findings['problems'][number] {
  const near = nearest(key, known)
  const place = path === '' ? 'the policy' : `\`${path}\``
  return {
    path: pathTo(path, key),
    // The kind alone: under a misspelt key there may be a secret.
    value: kindOf(value),
    message: 'unknown key',
    remedy: near === undefined ? `keys of ${place}: ${known.join(', ')}` : `did you mean \`${near}\`?`,
    ...(near === undefined ? {} : { nearest: near }),
  }
}

/** Reports that the value at a key will not do. */
export function refuse(
  fields: Fields,
  key: string | number,
  value: string,
  message: string,
  remedy: string,
  near?: string,
): void {
  fields.findings.problems.push({
    path: pathTo(fields.path, key),
    value,
    message,
    remedy,
    ...(near === undefined ? {} : { nearest: near }),
  })
}

/** A boolean; text such as `'false'` is refused, because it is truthy. */
export function readFlag(fields: Fields, key: string, fallback: boolean): boolean {
  const value = fields.get(key)
  if (value === undefined) return fallback
  if (typeof value === 'boolean') return value
  const text =
    typeof value === 'string' && /^(true|false)$/i.test(value.trim()) ? value.trim().toLowerCase() : undefined
  refuse(
    fields,
    key,
    text === undefined ? kindOf(value) : `'${text}'`,
    text === undefined ? 'true or false is meant here' : 'a boolean as text',
    text === undefined ? 'write true or false' : `write ${text} without quotes`,
  )
  return fallback
}

/** A key that weakens: true is noted under the control, false changes nothing. */
export function readDanger(fields: Fields, key: string, control: ControlId): boolean {
  const weak = readFlag(fields, key, false)
  if (weak) fields.findings.weakened.push({ path: pathTo(fields.path, key), control })
  return weak
}

/** `dangerouslyOff` of a control. */
export function readOff(fields: Fields, control: ControlId): boolean {
  return readDanger(fields, 'dangerouslyOff', control)
}
