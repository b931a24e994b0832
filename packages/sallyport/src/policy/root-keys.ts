import { nearest } from '../shape/nearest.ts'
import { type Fields, openChild, refuse } from '../shape/fields.ts'
import { duration, word } from '../shape/kinds.ts'
import { readEach } from '../shape/scalars.ts'
import { readSecret } from '../shape/secret-value.ts'
import { type InputOf, key, type Shape } from '../shape/shape.ts'
import { kindOf, show } from '../shape/shown.ts'
import type { EventsSection, Logger } from '../model/event.ts'
import type { Store } from '../model/store.ts'
import { isThenable } from '../model/thenable.ts'
import type { ControlId } from '../model/verdict.ts'
import { DEFINITIONS } from './definitions.ts'
import { PROXY_KEYS } from './proxy-section.ts'

const IDS: readonly ControlId[] = DEFINITIONS.map(({ id }) => id)

/** The controls that only report: all of them, or some. */
type Reported = 'all' | ReadonlySet<ControlId>

const report: Shape<Reported, boolean | readonly ControlId[]> = {
  type: 'boolean or ControlId[]',
  schema: { anyOf: [{ type: 'boolean' }, { type: 'array', items: { enum: IDS } }] },
  read: readReport,
  words: value => (value === 'all' ? 'all' : value.size === 0 ? 'none' : [...value].join(', ')),
}

/** An object of the app that must have these methods, its own or inherited. */
function brought<T>(type: string, methods: readonly string[], example: string): Shape<T | null, T> {
  return {
    type,
    schema: {},
    read: (fields, name, fallback) => readMethods<T>(fields, name, methods, example) ?? fallback,
    words: () => 'none',
  }
}

const hashKey: Shape<string | null, string> = {
  type: 'string',
  schema: { type: 'string' },
  read(fields, name, fallback) {
    const value = fields.get(name)
    return value === undefined ? fallback : readSecret(value, fields, name)
  },
  words: value => (value === null ? 'random for this process' : 'given'),
}

const store = brought<Store>(
  'Store',
  ['take', 'once', 'lease', 'release', 'revoke', 'revokedAt', 'onRevoked'],
  'redis(client, { secret })',
)

const EVENT_KEYS = {
  log: key(brought<Logger>('Logger', ['info', 'warn', 'error'], 'pino()'), null, 'Where events are logged.'),
  hashKey: key(hashKey, null, 'Key of the hashes that stand for session and user in events.', { secret: true }),
  window: key(duration(), 10_000, 'A kind of event is logged at once, then counted for this long.', {
    because: 'a log line a kind and 10 s: readable under attack, still near enough to see one begin',
  }),
}
export type EventsInput = InputOf<typeof EVENT_KEYS>

const OWN_KEYS = {
  name: key(word('the name of the app'), 'sallyport', 'Name of the app in events.'),
  report: key(
    report,
    frozenSet([]),
    'Report mode: every control, or some. They say what they would deny, and deny nothing.',
  ),
  timeout: key(duration(), 5000, 'Longest wait for an asynchronous control.', {
    because:
      'an asynchronous control answers from a store or a rule of the app; one that needs longer holds an open socket hostage',
  }),
  store: key(store, null, 'State that nodes share.', { shown: 'memory of this process' }),
}
export type OwnInput = InputOf<typeof OWN_KEYS>

/** Keys of a policy outside the doors, by path. */
export const ROOT_KEYS = {
  name: OWN_KEYS.name,
  'proxy.trust': PROXY_KEYS.trust,
  'proxy.header': PROXY_KEYS.header,
  report: OWN_KEYS.report,
  timeout: OWN_KEYS.timeout,
  store: OWN_KEYS.store,
  'events.log': EVENT_KEYS.log,
  'events.hashKey': EVENT_KEYS.hashKey,
  'events.window': EVENT_KEYS.window,
}

/** The value of one of the keys `name`, `report`, `timeout` or `store`. */
export function readRoot<N extends keyof typeof OWN_KEYS>(root: Fields, name: N): (typeof OWN_KEYS)[N]['default'] {
  const { shape, default: fallback } = OWN_KEYS[name]
  return (shape as Shape<unknown>).read(root, name, fallback) as (typeof OWN_KEYS)[N]['default']
}

export function readEvents(root: Fields): EventsSection {
  const section = openChild(root, 'events', Object.keys(EVENT_KEYS))
  const { log, hashKey: hash, window } = EVENT_KEYS
  return Object.freeze({
    log: log.shape.read(section, 'log', log.default),
    hashKey: hash.shape.read(section, 'hashKey', hash.default),
    windowMs: window.shape.read(section, 'window', window.default),
  })
}

function readMethods<T>(fields: Fields, name: string, methods: readonly string[], example: string): T | null {
  const value = fields.get(name)
  if (value === undefined) return null
  const fault = (shown: string, message: string, remedy = `write ${name}: ${example}`): null => {
    refuse(fields, name, shown, message, `${remedy}, an object with the methods ${methods.join(', ')}`)
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

function readReport(root: Fields, name: string, fallback: Reported): Reported {
  const said = root.get(name)
  if (said === undefined || said === false) return fallback
  if (said === true) return 'all'
  const ids = readEach(root, name, "'handshake/origin'", (value, at, index) => {
    const known = IDS.find(id => id === value)
    if (known !== undefined) return known
    const near = typeof value === 'string' ? nearest(value, IDS) : undefined
    const remedy = near === undefined ? "write ids such as 'handshake/origin'" : `did you mean '${near}'?`
    refuse(at, index, show(value), 'no id of a control', remedy, near)
    return null
  })
  return frozenSet(ids ?? [])
}

function locked(): never {
  throw new TypeError('the policy is frozen')
}

/** `Object.freeze` leaves a Set writable; this one is not. */
function frozenSet(ids: readonly ControlId[]): ReadonlySet<ControlId> {
  const set = new Set(ids)
  return Object.freeze(Object.assign(set, { add: locked, delete: locked, clear: locked }))
}
