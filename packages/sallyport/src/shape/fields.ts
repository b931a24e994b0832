import { nearest } from './nearest.ts'
import { neighbourOf, remedyOfServer } from './neighbours.ts'
import type { Findings, Hints, Problem } from './problem.ts'
import { kindOf, pathTo } from './shown.ts'
import { isThenable } from '../model/thenable.ts'
import type { ControlId } from '../model/verdict.ts'

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
  for (const [key, entry] of entriesOf(value, path, findings, known)) {
    if (known.includes(key)) {
      if (entry !== undefined) said.set(key, entry)
    } else {
      findings.problems.push(unknownKey(path, key, entry, known, findings.hints))
    }
  }
  return { path, findings, get: key => said.get(key) }
}

/** The object of the policy at a key of another one. */
export function openChild(parent: Fields, key: string, known: readonly string[]): Fields {
  return openFields(parent.get(key), pathTo(parent.path, key), known, parent.findings)
}

/**
 * Own entries of an object, in order; none, and a problem, where there is no readable plain object. What is not own
 * would be ignored in silence: `known` keys that are inherited, and all that a Map or a Promise holds, are a problem too.
 */
export function entriesOf(
  value: unknown,
  path: string,
  findings: Findings,
  known: readonly string[] = [],
): readonly (readonly [string, unknown])[] {
  if (value === undefined) return []
  const fault = (message: string, remedy: string): readonly [] => {
    findings.problems.push({ path: path || 'policy', value: kindOf(value), message, remedy })
    return []
  }
  try {
    if (isThenable(value)) return fault('it comes later, and a policy is read at once', 'await it first')
    if (!isObject(value)) return fault('an object is meant here', remedyOf(value, path, known, findings.hints))
    const keys = Reflect.ownKeys(value)
    if (keys.length > MOST_KEYS) return fault(`more than ${MOST_KEYS} keys`, 'write the keys that are documented')
    const inherited = known.find(key => isInherited(value, key))
    if (inherited !== undefined) fault(`\`${inherited}\` is inherited, and own keys alone are read`, COPY)
    else if (keys.length === 0 && !isPlain(value))
      return fault('an instance of a class, without a key of its own', COPY)
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

/** Keys that turn a control off. */
const OFF: ReadonlySet<string> = new Set(['dangerouslyOff', 'dangerouslyWithoutTicket'])

/** What to write where no object stands; who writes true or false for a control means on or off. */
function remedyOf(value: unknown, path: string, known: readonly string[], hints: Hints): string {
  const write = `write ${hints.exampleOf(path) ?? '{ … }'}`
  const off = known.find(key => OFF.has(key))
  if (typeof value !== 'boolean' || off === undefined) return write
  return value
    ? `leave it out for the default, or ${write}`
    : `write { ${off}: true } to turn it off, or leave it out for the default`
}

const COPY = 'write a plain object with the keys in it'

/** An object whose content is its keys; a Map or a Date has it elsewhere. */
function isObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(value instanceof Map || value instanceof Set || value instanceof Date || value instanceof RegExp)
}

/** Whether it stands right below the end of the chain: this realm's `Object.prototype`, another's, or none. */
function isPlain(value: object): boolean {
  const above: unknown = Reflect.getPrototypeOf(value)
  return above === null || Reflect.getPrototypeOf(above as object) === null
}

/** Whether a class or another object lends it the key. The end of the chain is not asked: a polluted prototype says nothing. */
function isInherited(value: object, key: string): boolean {
  if (Object.hasOwn(value, key)) return false
  for (let above = Reflect.getPrototypeOf(value); above !== null; above = Reflect.getPrototypeOf(above)) {
    if (Reflect.getPrototypeOf(above) !== null && Object.hasOwn(above, key)) return true
  }
  return false
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

function unknownKey(path: string, key: string, value: unknown, known: readonly string[], hints: Hints): Problem {
  return {
    path: pathTo(path, key),
    // The kind alone: under a misspelt key there may be a secret.
    value: kindOf(value),
    message: 'unknown key',
    ...insteadOf(path, key, known, hints),
  }
}

/** What to write instead of an unknown key: where it belongs, what it was probably meant to be, or what there is. */
function insteadOf(
  path: string,
  key: string,
  known: readonly string[],
  hints: Hints,
): Pick<Problem, 'remedy' | 'nearest'> {
  const places = hints.placesOf(key, path)
  if (places.length > 0) {
    const sections = places.map(place => place.slice(0, Math.max(0, place.lastIndexOf('.'))))
    const named = sections.map(section => (section === '' ? 'the root of the policy' : `\`${section}\``))
    return { remedy: `write it under ${named.join(' or ')}`, nearest: places[0]! }
  }
  const near = nearest(key, known)
  if (near !== undefined) return { remedy: `did you mean \`${near}\`?`, nearest: near }
  const neighbour = neighbourOf(key)
  if (neighbour !== undefined) {
    const { path: nearPath, write } = neighbour
    return { remedy: `here it is \`${nearPath}\`: write ${write}`, nearest: nearPath }
  }
  const server = path === '' ? remedyOfServer(key) : undefined
  if (server !== undefined) return { remedy: server }
  const example = hints.exampleOf(path)
  return {
    remedy: `keys of ${path === '' ? 'the policy' : `\`${path}\``}: ${known.join(', ')}${example === undefined || path === '' ? '' : `; such as ${example}`}`,
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

/** Reports a key that is said and would change nothing, because another one is not what it needs. */
export function refuseIdle(fields: Fields, key: string, needs: string): void {
  const value = fields.get(key)
  if (value === undefined) return
  refuse(fields, key, kindOf(value), `it changes nothing without ${needs}`, `write ${needs}, or leave it out`)
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
