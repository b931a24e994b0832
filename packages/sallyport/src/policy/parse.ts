import { CONTROLS } from './controls.ts'
import { EXAMPLES } from './examples.ts'
import { placesOf } from './places.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { openChild, openFields, refuse } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import { createSections, type Doors } from './sections.ts'
import { HANDSHAKE_KEYS, readHandshake } from './handshake-section.ts'
import { LIFETIME_KEYS, readLifetime } from './lifetime-section.ts'
import { MESSAGE_KEYS, readMessage } from './message-section.ts'
import { nearest } from '../shape/nearest.ts'
import { PolicyError } from '../shape/problem.ts'
import type { Findings } from '../shape/problem.ts'
import { readProxy } from './proxy-section.ts'
import { readDuration, readEach, readWord } from '../shape/scalars.ts'
import { readSecret } from '../shape/secret-value.ts'
import { kindOf, show } from '../shape/shown.ts'
import { isThenable } from '../model/thenable.ts'
import type { Policy } from '../model/policy.ts'
import type { ControlId } from '../model/verdict.ts'

const HINTS: Findings['hints'] = { exampleOf: path => EXAMPLES[path], placesOf }
const KEYS = ['name', 'proxy', 'handshake', 'message', 'lifetime', 'report', 'timeout', 'store', 'events']
const STORE_METHODS = ['take', 'once', 'lease', 'release', 'revoke', 'revokedAt', 'onRevoked']
const LOGGER_METHODS = ['info', 'warn', 'error']
const IDS: readonly string[] = CONTROLS.map(control => control.id)

/**
 * Reads a policy from any source into a frozen one, with every default filled in and every unit resolved. Objects of
 * the app (functions, schemas, store, logger) are kept unchanged.
 *
 * @throws PolicyError with every problem, and never any other error
 */
export function parsePolicy(input: unknown): Policy {
  const findings: Findings = { hints: HINTS, problems: [], weakened: [] }
  const root = openFields(input === undefined ? {} : input, '', KEYS, findings)
  const doors = openDoors(root)
  const known = new Map<ControlId, unknown>()
  const sections = createSections(doors, known)
  const handshake = readHandshake(sections)
  known.set('handshake/connections', capsOf(handshake))
  const message = readMessage(doors.message, sections)
  const policy: Policy = {
    name: readWord(root, 'name', DEFAULTS.name, 'the name of the app'),
    proxy: readProxy(root),
    handshake,
    message,
    lifetime: readLifetime(doors.lifetime, handshake, sections),
    report: readReport(root),
    timeoutMs: readDuration(root, 'timeout', DEFAULTS.timeoutMs),
    store: readMethods<Policy['store']>(root, 'store', STORE_METHODS, 'redis(client, { secret })'),
    events: readEvents(root),
    weakened: Object.freeze(findings.weakened.map(entry => Object.freeze(entry))),
  }
  if (findings.problems.length > 0) throw new PolicyError(findings.problems)
  if (root.get('name') === undefined) unnamed.add(policy)
  return Object.freeze(policy)
}

/** Opens the doors one after the other, so that problems are reported in the order of the doors. */
function openDoors(root: Fields): Doors {
  const opened = new Map<string, Fields>()
  const open = (door: string, keys: readonly string[]): Fields => {
    const fields = opened.get(door) ?? openChild(root, door, keys)
    opened.set(door, fields)
    return fields
  }
  return {
    get handshake() {
      return open('handshake', HANDSHAKE_KEYS)
    },
    get message() {
      return open('message', MESSAGE_KEYS)
    },
    get lifetime() {
      return open('lifetime', LIFETIME_KEYS)
    },
  }
}

const unnamed = new WeakSet<Policy>()

/**
 * Whether the policy has a name of its own. Guards with the same name belong together. Guards with the default name do
 * not.
 */
export function isNamed(policy: Policy): boolean {
  return !unnamed.has(policy)
}

function readEvents(root: Fields): Policy['events'] {
  const section = openChild(root, 'events', ['log', 'hashKey', 'window'])
  const key = section.get('hashKey')
  return Object.freeze({
    log: readMethods<Policy['events']['log']>(section, 'log', LOGGER_METHODS, 'pino()'),
    hashKey: key === undefined ? null : readSecret(key, section, 'hashKey'),
    windowMs: readDuration(section, 'window', DEFAULTS.logWindowMs),
  })
}

/** An object of the app that must have certain methods, its own or inherited ones. */
function readMethods<T>(fields: Fields, key: string, methods: readonly string[], example: string): T | null {
  const value = fields.get(key)
  if (value === undefined) return null
  const fault = (shown: string, message: string, remedy = `write ${key}: ${example}`): null => {
    refuse(fields, key, shown, message, `${remedy}, an object with the methods ${methods.join(', ')}`)
    return null
  }
  try {
    if (isThenable(value)) return fault('a Promise', 'it comes later, and a policy is read at once', 'await it first')
    if (typeof value !== 'object' || value === null) return fault(kindOf(value), 'an object with methods is meant here')
    const missing = methods.filter(method => typeof Reflect.get(value, method) !== 'function')
    return missing.length === 0 ? (value as T) : fault(kindOf(value), `it lacks ${missing.join(', ')}`)
  } catch {
    return fault('an unreadable object', 'looking for its methods throws')
  }
}

function readReport(root: Fields): Policy['report'] {
  const said = root.get('report')
  if (said === undefined || said === false) return frozenSet([])
  if (said === true) return 'all'
  const ids = readEach(root, 'report', "'handshake/origin'", (value, at, index) => {
    if (typeof value === 'string' && IDS.includes(value)) return value as ControlId
    const near = typeof value === 'string' ? nearest(value, IDS) : undefined
    refuse(
      at,
      index,
      show(value),
      'no id of a control',
      near === undefined ? "write ids such as 'handshake/origin'" : `did you mean '${near}'?`,
      near,
    )
    return null
  })
  return frozenSet(ids ?? [])
}

const locked = (): never => {
  throw new TypeError('the policy is frozen')
}

/** A Set that cannot be changed. `Object.freeze` alone does not prevent changes. */
function frozenSet(ids: readonly ControlId[]): ReadonlySet<ControlId> {
  const set = new Set(ids)
  return Object.freeze(Object.assign(set, { add: locked, delete: locked, clear: locked }))
}

/** On a public endpoint every user is unknown, so an address has as many connections as strangers may have. */
function capsOf({ session, connections }: Policy['handshake']): Policy['handshake']['connections'] {
  if (connections === null || session !== null) return connections
  return { ...connections, perIp: Math.min(connections.perIp, connections.strangersPerIp) }
}
