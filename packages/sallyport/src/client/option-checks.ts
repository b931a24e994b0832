import type { BackoffOptions } from './backoff.ts'
import type { ConnectOptions, HeartbeatOptions, Lifecycle } from './options.ts'

/** What `type:text` of a value must look like, and what to write instead. Terse: every page loads it. */
type Rule = readonly [form: RegExp, write: string]
type Rules<T> = { readonly [Key in keyof Required<T>]: Rule }

const FUNCTION: Rule = [/^f/, 'a function']
const OBJECT: Rule = [/^object:\[object Object]$/, '{ … }']
const NUMBER: Rule = [/^number:\d+$/, 'a number']
const TIME: Rule = [/^number:\d+$/, 'a number of ms']

const NAME: Rule = [/^string:\S+$/, 'a name']
const FLAG: Rule = [/^boolean/, 'true or false']
const TEXT: Rule = [/^string:[^]{1,64}$/, 'a text of 1 to 64 bytes']

const HEARTBEAT: Rules<HeartbeatOptions> = { text: TEXT, reply: TEXT, after: TIME, within: TIME, awake: TIME }
const BACKOFF: Rules<BackoffOptions> = { min: TIME, max: TIME }
const OPTIONS: Rules<ConnectOptions<string>> = {
  ticket: [/^(function|boolean:false|string:(\/|https?:))/, 'a path, a function or false'],
  carrier: [/^string:(subprotocol|first-message|query)$/, 'subprotocol, first-message or query'],
  parameter: NAME,
  // A name with a blank the WebSocket would refuse, at each attempt; a list is text of its names.
  protocols: [/^object:(?!null$)\S*$/, 'a list of names'],
  backoff: OBJECT,
  queue: NUMBER,
  discriminator: NAME,
  binary: FLAG,
  heartbeat: [/^(boolean:false|object:\[object Object])$/, 'false or { … }'],
  dangerouslyCrossOrigin: FLAG,
  WebSocket: FUNCTION,
  fetch: FUNCTION,
}
const NAMES: readonly (keyof Lifecycle)[] = [
  'state',
  'open',
  'close',
  'retry',
  'signin',
  'idle',
  'denied',
  'stop',
  'error',
]

function requireRule(name: string, value: unknown, [form, write]: Rule): void {
  const text = String(value)
  // A text so long may be a token.
  const shown = text.length < 24 ? text : `${typeof value} of ${text.length}`
  if (!form.test(`${typeof value}:${text}`)) throw new TypeError(`${name} is ${shown}; write ${write}`)
}

function requireKnown(name: string, known: readonly string[]): void {
  if (!known.includes(name)) throw new TypeError(`'${name}' is none of ${known.join()}`)
}

function requireRules<T>(given: object, rules: Rules<T>): void {
  for (const [key, value] of Object.entries(given)) {
    requireKnown(key.slice(0, 24), Object.keys(rules))
    if (value !== undefined) requireRule(key, value, rules[key as keyof T])
  }
}

/** Throws a `TypeError` for options that would be ignored, or that every attempt would fail by. */
export function requireOptions(options: ConnectOptions<string>): void {
  requireRule('options', options, OBJECT)
  requireRules(options, OPTIONS)
  requireRules(options.backoff ?? {}, BACKOFF)
  const { text, reply } = options.heartbeat || {}
  requireRules(options.heartbeat || {}, HEARTBEAT)
  if ((text === undefined) !== (reply === undefined)) throw new TypeError('heartbeat: write both text and reply')
}

/** Throws a `TypeError` for the name of nothing that happens to a connection. */
export function requireName(name: string): void {
  requireKnown(name, NAMES)
}
