import type { SessionResolver } from '../model/session.ts'
import { readBudget } from '../shape/budget.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { openChild, openFields, readDanger, readFlag, readOff, refuse } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import type { Earlier } from '../controls/definition.ts'
import { host } from '../controls/handshake/host.ts'
import { ANY_ORIGIN, origin as originControl } from '../controls/handshake/origin.ts'
import { readCount, readEach, readFunction, readSize } from '../shape/scalars.ts'
import { isEmptyList, isList, kindOf, pathTo, show } from '../shape/shown.ts'
import { readTicket } from './ticket-section.ts'
import type { Ambient } from './ticket-section.ts'
import type { Policy } from '../model/policy.ts'
import { callOf } from '../shape/uncalled.ts'

/** Keys of `handshake`. */
export const HANDSHAKE_KEYS: readonly string[] = [
  'transport',
  'host',
  'request',
  'origin',
  'fetch-metadata',
  'subprotocol',
  'extensions',
  'rate',
  'connections',
  'session',
  'ticket',
  'authorize',
]

type Handshake = Policy['handshake']

/** `handshake`: who may open. */
export function readHandshake(handshake: Fields, sections: Earlier): Handshake {
  const origin = sections.sectionOf(originControl)
  const { session, ambient } = readSession(handshake)
  return Object.freeze({
    transport: readTransport(handshake),
    host: sections.sectionOf(host),
    request: readRequest(handshake),
    origin,
    'fetch-metadata': readFetchMetadata(handshake, origin),
    subprotocol: readSubprotocol(handshake),
    extensions: readExtensions(handshake),
    rate: readRate(handshake),
    connections: readConnections(handshake, session === null),
    session,
    ticket: readTicket(handshake, ambient),
    authorize: readFunction<NonNullable<Handshake['authorize']>>(handshake, 'authorize'),
  })
}

function readTransport(handshake: Fields): Handshake['transport'] {
  const section = openChild(handshake, 'transport', ['dangerouslyOff', 'dangerouslyAllowPlaintext'])
  const off = readOff(section, 'handshake/transport')
  return readDanger(section, 'dangerouslyAllowPlaintext', 'handshake/transport') || off ? null : Object.freeze({})
}

function readRequest(handshake: Fields): Handshake['request'] {
  const section = openChild(handshake, 'request', ['headerBytes', 'headers', 'targetBytes'])
  return Object.freeze({
    headerBytes: readSize(section, 'headerBytes', DEFAULTS.headerBytes),
    headers: readCount(section, 'headers', DEFAULTS.headers),
    targetBytes: readSize(section, 'targetBytes', DEFAULTS.targetBytes),
  })
}

function readFetchMetadata(handshake: Fields, origin: Handshake['origin']): Handshake['fetch-metadata'] {
  const off = readOff(openChild(handshake, 'fetch-metadata', ['dangerouslyOff']), 'handshake/fetch-metadata')
  if (off) return null
  if (origin !== null) return Object.freeze({})
  if (handshake.findings.weakened.some(({ path }) => path === ANY_ORIGIN)) {
    handshake.findings.weakened.push({ path: ANY_ORIGIN, control: 'handshake/fetch-metadata' })
  }
  return null
}

function readSubprotocol(handshake: Fields): Handshake['subprotocol'] {
  const section = openChild(handshake, 'subprotocol', ['serve', 'required', 'dangerouslyOff'])
  const off = readOff(section, 'handshake/subprotocol')
  const required = readFlag(section, 'required', false)
  const serve = readEach(section, 'serve', "'sallyport.v1'", (value, at, index) => {
    if (typeof value !== 'string' || !/^[!#$%&'*+.^_`|~\dA-Za-z-]{1,128}$/.test(value)) {
      refuse(at, index, show(value), 'not a token (RFC 7230 §3.2.6)', "write letters, digits, '.', '-': 'chat.v1'")
    } else if (value.toLowerCase().startsWith('sallyport.ticket.')) {
      refuse(
        at,
        index,
        kindOf(value),
        'that prefix carries tickets, which are never echoed',
        "write another name: 'chat.v1'",
      )
    } else {
      return value
    }
    return null
  })
  if (isEmptyList(section.get('serve'))) {
    refuse(
      section,
      'serve',
      'an empty list',
      'every client that offers a subprotocol would be refused',
      "write serve: ['chat.v1'], or leave it out",
    )
  }
  return off ? null : Object.freeze({ serve: serve ?? DEFAULTS.subprotocols, required })
}

function readExtensions(handshake: Fields): Handshake['extensions'] {
  const section = openChild(handshake, 'extensions', ['deflate'])
  const said = section.get('deflate')
  if (said === undefined || said === false) return null
  const path = pathTo(section.path, 'deflate')
  const deflate = openFields(said === true ? {} : said, path, ['threshold', 'windowBits'], section.findings)
  return Object.freeze({
    threshold: readSize(deflate, 'threshold', DEFAULTS.deflateThreshold),
    // zlib cannot make a raw stream with a window of 8 bits.
    windowBits: readCount(deflate, 'windowBits', DEFAULTS.deflateWindowBits, 9, 15),
  })
}

function readRate(handshake: Fields): Handshake['rate'] {
  const section = openChild(handshake, 'rate', ['perIp', 'perUser', 'total', 'dangerouslyOff'])
  const off = readOff(section, 'handshake/rate')
  const perIp = readBudget(section, 'perIp', 'attempts', DEFAULTS.handshakesPerIp)
  const perUser = readBudget(section, 'perUser', 'attempts', DEFAULTS.handshakesPerUser)
  const total = readBudget(section, 'total', 'attempts', DEFAULTS.handshakesTotal)
  return off ? null : Object.freeze({ perIp, perUser, total })
}

function readConnections(handshake: Fields, isAnonymous: boolean): Handshake['connections'] {
  const section = openChild(handshake, 'connections', ['total', 'perIp', 'strangersPerIp', 'perUser', 'dangerouslyOff'])
  const off = readOff(section, 'handshake/connections')
  // On a public endpoint there is nobody else to set a cap of an address for.
  const isSaid = isAnonymous && section.get('perIp') !== undefined
  const perIp = readCount(section, 'perIp', DEFAULTS.connectionsPerIp)
  const caps = {
    total: readCount(section, 'total', DEFAULTS.connectionsTotal),
    perIp,
    strangersPerIp: readCount(section, 'strangersPerIp', isSaid ? perIp : DEFAULTS.connectionsStrangersPerIp),
    perUser: readCount(section, 'perUser', DEFAULTS.connectionsPerUser),
  }
  return off ? null : Object.freeze(caps)
}

const MIDDLEWARE = 'write session: expressSession(sessionMiddleware, request => request.session?.userId)'
const FIND = 'write session: request => … (your look-up), or { dangerouslyAnonymous: true } for a public endpoint'

function readSession(handshake: Fields): { readonly session: SessionResolver | null; readonly ambient: Ambient } {
  const said = handshake.get('session')
  if (typeof said === 'function') return { session: said as SessionResolver, ambient: readAmbient(handshake, said) }
  if (typeof said !== 'object' || said === null) {
    const value = said === undefined ? 'nothing' : kindOf(said)
    refuse(handshake, 'session', value, 'it must be decided how the session is found', FIND)
    return { session: null, ambient: true }
  }
  const told = handshake.findings.problems.length
  const section = openChild(handshake, 'session', ['dangerouslyAnonymous'])
  const anonymous = readDanger(section, 'dangerouslyAnonymous', 'handshake/session')
  if (!anonymous && told === handshake.findings.problems.length) {
    refuse(handshake, 'session', kindOf(said), 'it must be decided how the session is found', FIND)
  }
  return { session: null, ambient: anonymous ? null : true }
}

/** What a resolver says that it reads: a wrong entry would make every client a stranger, or nobody. */
function readReads(at: Fields, said: unknown): void {
  if (said === undefined) return
  if (isList(said) && said.length > 0 && Array.from(said, isCredential).every(Boolean)) return
  refuse(
    at,
    'reads',
    kindOf(said),
    'a list of what the resolver reads is meant here',
    "write reads: [{ cookie: 'sid' }], with { header: … } or { query: … } for others, or leave it out",
  )
}

/** `{ cookie: 'sid' }`, `{ header: … }` or `{ query: … }`. */
function isCredential(one: unknown): boolean {
  if (typeof one !== 'object' || one === null) return false
  const entries = Object.entries(one)
  const [kind, name] = entries[0] ?? []
  return (
    entries.length === 1 && ['cookie', 'header', 'query'].includes(kind!) && typeof name === 'string' && name !== ''
  )
}

/** What can be told from a resolver, read with care: it is the app's own function. */
function readAmbient(handshake: Fields, resolver: object): boolean {
  const at: Fields = { ...handshake, path: pathTo(handshake.path, 'session') }
  const call = callOf(resolver)
  if (call !== undefined) {
    refuse(handshake, 'session', 'a function', 'it makes a resolver, and was not called', `write session: ${call}`)
    return true
  }
  try {
    if (Number(Reflect.get(resolver, 'length')) >= 3) {
      refuse(
        handshake,
        'session',
        'a function',
        'three parameters: a middleware, which finds no session here',
        MIDDLEWARE,
      )
    }
    const ambient: unknown = Reflect.get(resolver, 'ambient')
    const recheck: unknown = Reflect.get(resolver, 'recheck')
    if (recheck !== undefined && typeof recheck !== 'function') {
      refuse(at, 'recheck', kindOf(recheck), 'a function is meant here', 'write (session, request) => …')
    }
    const forget: unknown = Reflect.get(resolver, 'forget')
    if (forget !== undefined && typeof forget !== 'function') {
      refuse(at, 'forget', kindOf(forget), 'a function is meant here', 'write () => { … }, which forgets kept answers')
    }
    readReads(at, Reflect.get(resolver, 'reads'))
    if (ambient === undefined || typeof ambient === 'boolean') return ambient !== false
    refuse(
      at,
      'ambient',
      kindOf(ambient),
      'true or false is meant here',
      'write false only where a page must add the credential by hand',
    )
  } catch {
    refuse(handshake, 'session', 'a function', 'reading its marks throws', 'give a plain function')
  }
  return true
}
