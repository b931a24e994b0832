import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { z } from 'zod'
import { parsePolicy } from '../../src/policy/parse.ts'
import { expressSession, signedCookie } from '../../src/session/index.ts'
import { jwt } from '../../src/session/jwt.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { policyWith, SECRET } from './honest-policy.ts'
import { problemsOf } from './problems-of.ts'

type Row = readonly [
  name: string,
  changes: Record<string, unknown>,
  path: string,
  value: string,
  remedy: RegExp,
  nearest?: string,
]

class Size {
  get bytes() {
    return 1024
  }
}
class Nothing {}
class Later {
  // oxlint-disable-next-line unicorn/no-thenable -- the mistake that is tested
  then() {}
}
const joi = { $_root: {}, validate: () => ({}) }
const store = { take() {}, once() {}, lease() {}, release() {}, revoke() {}, revokedAt() {} }
const firstMessage = { carrier: 'first-message' }

// biome-ignore format: a table is read by its rows
const ROWS: readonly Row[] = [
  ['a misspelt section', { handshakes: {} }, 'handshakes', 'an object', /did you mean `handshake`/, 'handshake'],
  ['a control at the root', { origin: {} }, 'origin', 'an object', /under `handshake`/, 'handshake.origin'],
  ['a control of two doors at the root', { rate: {} }, 'rate', 'an object', /under `handshake` or `message`/, 'handshake.rate'],
  ['a control that is false', { 'message.rate': false }, 'message.rate', 'false', /\{ dangerouslyOff: true \} to turn it off/],
  ['a control that cannot be off', { 'lifetime.backpressure': false }, 'lifetime.backpressure', 'false', /^write backpressure: \{ bytes/],
  ['a ticket that is false', { 'handshake.ticket': false }, 'handshake.ticket', 'false', /\{ dangerouslyWithoutTicket: true \} to turn it off/],
  ['no schema by false', { 'message.schema': false }, 'message.schema', 'false', /^write schema: \{ chat: ChatSchema \}$/],
  ['a control that is true', { 'lifetime.idle': true }, 'lifetime.idle', 'true', /leave it out for the default, or write idle: \{ after/],
  ['a rate that is a number', { 'message.rate': 100 }, 'message.rate', 'a number', /rate: \{ messages: 100, per: '1 minute' \}/],
  ['a time where a section is meant', { 'lifetime.idle': '15 minutes' }, 'lifetime.idle', 'a string', /idle: \{ after: '15 minutes' \}/],
  ['a list of subprotocols', { 'handshake.subprotocol': ['chat'] }, 'handshake.subprotocol', 'a list of 1', /subprotocol: \{ serve/],
  ['a misspelt control', { 'handshake.orgin': {} }, 'handshake.orgin', 'an object', /`origin`/, 'origin'],
  ['two letters swapped', { 'message.rate': { mesasges: 5 } }, 'message.rate.mesasges', 'a number', /`messages`/, 'messages'],
  ['a misspelt danger', { 'handshake.origin': { allow: ['https://a.example'], dangerouslyAllowMising: true } }, 'handshake.origin.dangerouslyAllowMising', 'true', /Missing`/, 'dangerouslyAllowMissing'],
  ['a key of ws', { 'message.maxPayload': 1 }, 'message.maxPayload', 'a number', /`message\.size\.bytes`: write message: \{ size/, 'message.size.bytes'],
  ['a key of ws at the root', { verifyClient() {} }, 'verifyClient', 'a function', /authorize: \(session, request\)/, 'handshake.authorize'],
  ['a key of cors', { cors: { origin: '*' } }, 'cors', 'an object', /origin: \{ allow: \['https:/, 'handshake.origin.allow'],
  ['a key of express-rate-limit', { windowMs: 60_000 }, 'windowMs', 'a number', /rate: \{ messages: 100/, 'message.rate'],
  ['a key of Socket.IO', { 'lifetime.pingInterval': 25_000 }, 'lifetime.pingInterval', 'a number', /heartbeat: \{ interval/, 'lifetime.heartbeat'],
  ['a key of Express', { 'trust proxy': 1 }, "['trust proxy']", 'a number', /proxy: \{ trust/, 'proxy.trust'],
  ['a key of the server', { port: 8443 }, 'port', 'a number', /serve\(\{ guard, port: … \}\)/],
  ['a key of nobody', { 'message.colour': 1 }, 'message.colour', 'a number', /keys of `message`: size.*; such as message: \{ schema/],
  ['a key one level too high', { 'message.bytes': 1 }, 'message.bytes', 'a number', /under `message\.size` or `message\.rate`/, 'message.size.bytes'],
  ['a key two levels too high', { deflate: true }, 'deflate', 'true', /under `handshake\.extensions`/, 'handshake.extensions.deflate'],
  ['a control of another door', { 'handshake.schema': {} }, 'handshake.schema', 'an object', /under `message`/, 'message.schema'],
  ['a key of the root in a section', { 'message.store': {} }, 'message.store', 'an object', /under the root of the policy/, 'store'],
  ['a deep unknown key', { 'handshake.rate': { perIp: { attempts: 1, per: '1 s', brust: 1 } } }, 'handshake.rate.perIp.brust', 'a number', /`burst`/, 'burst'],
  ['an own __proto__', { 'message.__proto__': { rate: 1 } }, 'message.__proto__', 'an object', /keys of `message`/],
  ['an own constructor', { constructor: 1 }, 'constructor', 'a number', /keys of the policy/],
  ['an odd key', { 'message.a b\n': 1 }, "message['a b\\u{a}']", 'a number', /keys of/],
  ['no origin', { 'handshake.origin': undefined }, 'handshake.origin', 'nothing', /origin: \{ allow: \['https:/],
  ['origins without an object', { 'handshake.origin': ['https://a.example'] }, 'handshake.origin', 'a list of 1', /origin: \{ allow/],
  ['an origin without a list', { 'handshake.origin': { allow: 'https://a.example' } }, 'handshake.origin.allow', 'a string', /\[/],
  ['an empty list of origins', { 'handshake.origin': { allow: [] } }, 'handshake.origin.allow', 'an empty list', /allow: \['https/],
  ['only a flag', { 'handshake.origin': { dangerouslyAllowMissing: true } }, 'handshake.origin.allow', 'nothing', /allow: \['https/],
  ['any origin, as false, decides nothing', { 'handshake.origin': { dangerouslyAllowAnyOrigin: false } }, 'handshake.origin.allow', 'nothing', /allow/],
  ['a list beside any origin', { 'handshake.origin': { allow: ['https://a.example'], dangerouslyAllowAnyOrigin: true } }, 'handshake.origin.allow', 'a list of 1', /remove/],
  ['a flag as text', { 'handshake.origin': { allow: ['https://a.example'], dangerouslyAllowMissing: 'false' } }, 'handshake.origin.dangerouslyAllowMissing', "'false'", /false without quotes/],
  ['a flag as number', { 'handshake.host': { dangerouslyOff: 1 } }, 'handshake.host.dangerouslyOff', 'a number', /true or false/],
  ['no session', { 'handshake.session': undefined }, 'handshake.session', 'nothing', /request =>.*dangerouslyAnonymous/],
  ['a middleware as session', { 'handshake.session': (_request: unknown, _response: unknown, _next: unknown) => null }, 'handshake.session', 'a function', /expressSession\(sessionMiddleware/],
  ['a resolver that was not called', { 'handshake.session': jwt }, 'handshake.session', 'a function', /session: jwt\(\{ jwks/],
  ['a resolver for Express that was not called', { 'handshake.session': expressSession }, 'handshake.session', 'a function', /expressSession\(sessionMiddleware/],
  ['a resolver for cookies that was not called', { 'handshake.session': signedCookie }, 'handshake.session', 'a function', /signedCookie\(\{ name/],
  ['null as session', { 'handshake.session': null }, 'handshake.session', 'null', /request =>/],
  ['a resolver that is still to come', { 'handshake.session': Promise.resolve(() => null) }, 'handshake.session', 'a Promise', /await it/],
  ['options of express-session', { 'handshake.session': { resave: false } }, 'handshake.session.resave', 'false', /such as session: expressSession\(/],
  ['a session that is text', { 'handshake.session': 'cookie' }, 'handshake.session', 'a string', /request =>/],
  ['anonymous, as false, decides nothing', { 'handshake.session': { dangerouslyAnonymous: false } }, 'handshake.session', 'an object', /request =>/],
  ['a resolver with a mark as text', { 'handshake.session': Object.assign(() => null, { ambient: 'no' }) }, 'handshake.session.ambient', 'a string', /false only where/],
  ['a wildcard host', { 'handshake.host': { allow: ['*.company.com'] } }, 'handshake.host.allow[0]', "'*.company.com'", /each name/],
  ['a leading dot for all subdomains', { 'handshake.host': { allow: ['.company.com'] } }, 'handshake.host.allow[0]', "'.company.com'", /each name/],
  ['a leading dot and a port', { 'handshake.host': { allow: ['.company.com:8443'] } }, 'handshake.host.allow[0]', "'.company.com:8443'", /each name/],
  ['a leading dot behind an honest name', { 'handshake.host': { allow: ['api.company.com', '.company.com'] } }, 'handshake.host.allow[1]', "'.company.com'", /each name/],
  ['an empty label in a host', { 'handshake.host': { allow: ['api..company.com'] } }, 'handshake.host.allow[0]', "'api..company.com'", /api\.company/],
  ['a host with scheme', { 'handshake.host': { allow: ['https://a.example'] } }, 'handshake.host.allow[0]', "'https://a.example'", /api\.company/],
  ['an IPv6 host without brackets', { 'handshake.host': { allow: ['::1'] } }, 'handshake.host.allow[0]', "'::1'", /\[::1\]/],
  ['a host with path', { 'handshake.host': { allow: ['a.example/ws'] } }, 'handshake.host.allow[0]', "'a.example/ws'", /api\.company/],
  ['port 0', { 'handshake.host': { allow: ['a.example:0'] } }, 'handshake.host.allow[0]', "'a.example:0'", /1 to 65535/],
  ['port 65536', { 'handshake.host': { allow: ['a.example:65536'] } }, 'handshake.host.allow[0]', "'a.example:65536'", /1 to 65535/],
  ['a numeric host in disguise', { 'handshake.host': { allow: ['0x7f.1'] } }, 'handshake.host.allow[0]', "'0x7f.1'", /127\.0\.0\.1/],
  ['a subprotocol with a comma', { 'handshake.subprotocol': { serve: ['a,b'] } }, 'handshake.subprotocol.serve[0]', "'a,b'", /letters/],
  ["a ticket's prefix served", { 'handshake.subprotocol': { serve: ['sallyport.ticket.x'] } }, 'handshake.subprotocol.serve[0]', 'a string', /another name/],
  ['no subprotocol in the list', { 'handshake.subprotocol': { serve: [] } }, 'handshake.subprotocol.serve', 'an empty list', /leave it out/],
  ['deflate as text', { 'handshake.extensions': { deflate: 'yes' } }, 'handshake.extensions.deflate', 'a string', /deflate: \{ threshold/],
  ['a window that zlib cannot make', { 'handshake.extensions': { deflate: { windowBits: 8 } } }, 'handshake.extensions.deflate.windowBits', '8', /9 to 15/],
  ['a count of inflations, which is none of the policy', { 'handshake.extensions': { deflate: { concurrency: 10 } } }, 'handshake.extensions.deflate.concurrency', 'a number', /keys of .*: threshold, windowBits/],
  ['a resolver that reads text', { 'handshake.session': Object.assign(() => null, { reads: 'sid' }) }, 'handshake.session.reads', 'a string', /cookie: 'sid'/],
  ['a resolver that reads names', { 'handshake.session': Object.assign(() => null, { reads: ['sid'] }) }, 'handshake.session.reads', 'a list of 1', /cookie: 'sid'/],
  ['a resolver that reads nothing', { 'handshake.session': Object.assign(() => null, { reads: [] }) }, 'handshake.session.reads', 'an empty list', /leave it out/],
  ['a resolver that reads two in one', { 'handshake.session': Object.assign(() => null, { reads: [{ cookie: 'a', header: 'b' }] }) }, 'handshake.session.reads', 'a list of 1', /header/],
  ['attempts of a user per nothing', { 'handshake.rate': { perUser: { attempts: 5 } } }, 'handshake.rate.perUser.per', 'nothing', /1 minute/],
  ['attempts of a user as a bare number', { 'handshake.rate': { perUser: 90 } }, 'handshake.rate.perUser', '90', /perUser: \{ attempts: 90, per: '1 minute' \}/],
  ['attempts of an address as a list', { 'handshake.rate': { perIp: [5] } }, 'handshake.rate.perIp', 'a list of 1', /perIp: \{ attempts: 100, per: '1 minute' \}/],
  ['attempts of nothing', { 'handshake.rate': { total: null } }, 'handshake.rate.total', 'null', /total: \{ attempts: 30000, per: '1 minute' \}/],
  ['messages of a user as text', { 'message.rate': { perUser: '100/min' } }, 'message.rate.perUser', "'100/min'", /perUser: \{ messages: 3000, per: '1 minute' \}/],
  ['control frames as a bare number', { 'message.size': { controlFrames: 30 } }, 'message.size.controlFrames', '30', /controlFrames: \{ frames: 30, per: '1 minute' \}/],
  ['half a stranger', { 'handshake.connections': { strangersPerIp: 0.5 } }, 'handshake.connections.strangersPerIp', '0.5', /whole number/],
  ['attempts per nothing', { 'handshake.rate': { perIp: { attempts: 5 } } }, 'handshake.rate.perIp.per', 'nothing', /1 minute/],
  ['nothing per minute', { 'handshake.rate': { total: { per: '1 minute' } } }, 'handshake.rate.total.attempts', 'nothing', /attempts: 3000/],
  ['a burst of 0', { 'handshake.rate': { perIp: { attempts: 5, per: '1 minute', burst: 0 } } }, 'handshake.rate.perIp.burst', '0', /from 1/],
  ['a number as text', { 'handshake.connections': { perUser: '5' } }, 'handshake.connections.perUser', "'5'", /5 without quotes/],
  ['no connection a user', { 'handshake.connections': { perUser: 0 } }, 'handshake.connections.perUser', '0', /from 1/],
  ['half a connection', { 'handshake.connections': { perIp: 1.5 } }, 'handshake.connections.perIp', '1.5', /whole number/],
  ['endless connections', { 'handshake.connections': { total: Infinity } }, 'handshake.connections.total', 'Infinity', /whole number/],
  ['a short secret', { 'handshake.ticket': { secret: 'hunter2' } }, 'handshake.ticket.secret', '(hidden, 7 bytes)', /openssl rand/],
  ['a placeholder', { 'handshake.ticket': { secret: 'changeme'.repeat(5) } }, 'handshake.ticket.secret', '(hidden, 40 bytes)', /openssl rand/],
  ['no secret in the list', { 'handshake.ticket': { secret: [] } }, 'handshake.ticket.secret', 'an empty list', /leave it out/],
  ['a list of variables that are all unset', { 'handshake.ticket': { secret: [undefined, undefined] } }, 'handshake.ticket.secret', 'a list of 2', /leave it out/],
  ['a misspelt secret', { 'handshake.ticket': { secrets: SECRET } }, 'handshake.ticket.secrets', 'a string', /`secret`/, 'secret'],
  ['a misspelt carrier', { 'handshake.ticket': { carrier: 'subprotcol' } }, 'handshake.ticket.carrier', "'subprotcol'", /'subprotocol'/, 'subprotocol'],
  ['a cookie as carrier', { 'handshake.ticket': { carrier: 'cookie' } }, 'handshake.ticket.carrier', "'cookie'", /one of 'subprotocol'/],
  ['a parameter that no ticket travels in', { 'handshake.ticket': { parameter: 'csrf' } }, 'handshake.ticket.parameter', 'a string', /carrier: 'query', or leave it out/],
  ['a deadline for a first message that none awaits', { 'lifetime.authentication': { deadline: '5 s' } }, 'lifetime.authentication.deadline', 'a string', /carrier: 'first-message', or leave/],
  ['a bound on a first message that none awaits', { 'message.size': { unauthenticatedBytes: 100 } }, 'message.size.unauthenticatedBytes', 'a number', /carrier: 'first-message', or leave/],
  ['a parameter with an ampersand', { 'handshake.ticket': { carrier: 'query', parameter: 'a&b' } }, 'handshake.ticket.parameter', "'a&b'", /'ticket'/],
  ['a path without slash', { 'handshake.ticket': { paths: ['ws'] } }, 'handshake.ticket.paths[0]', "'ws'", /'\/ws'/],
  ['a path with query', { 'handshake.ticket': { paths: ['/ws?token=hunter2'] } }, 'handshake.ticket.paths[0]', "'/ws?…'", /no query/],
  ['no path', { 'handshake.ticket': { paths: [] } }, 'handshake.ticket.paths', 'an empty list', /any path/],
  ['a rule that is no function', { 'handshake.authorize': true }, 'handshake.authorize', 'true', /=>/],
  ['no schema', { 'message.schema': undefined }, 'message.schema', 'nothing', /chat: ChatSchema/],
  ['an empty map of schemas', { 'message.schema': {} }, 'message.schema', 'an empty object', /chat: ChatSchema/],
  ['any message, as false, decides nothing', { 'message.schema': { dangerouslyAcceptAnyMessage: false } }, 'message.schema', 'an object', /chat: ChatSchema/],
  ['a schema beside any message', { 'message.schema': { dangerouslyAcceptAnyMessage: true, chat: { type: 'object' } } }, 'message.schema.chat', 'an object', /keys of/],
  ['one schema for all messages', { 'message.schema': z.object({ type: z.literal('chat') }) }, 'message.schema', 'an object', /schema: \{ chat: ChatSchema \}/],
  ['one JSON Schema for all messages', { 'message.schema': { type: 'object', properties: {} } }, 'message.schema', 'an object', /schema: \{ chat/],
  ['a list of schemas for all messages', { 'message.schema': [{ type: 'object' }] }, 'message.schema', 'a list of 1', /schema: \{ chat/],
  ['schemas that are still to come', { 'message.schema': Promise.resolve({}) }, 'message.schema', 'a Promise', /await it/],
  ['Superstruct', { 'message.schema': { chat: { type: 'object', schema: {}, coercer() {}, validator() {}, refiner() {} } } }, 'message.schema.chat', 'an object', /Standard Schema/],
  ['io-ts', { 'message.schema': { chat: { _tag: 'InterfaceType', is() {}, decode() {} } } }, 'message.schema.chat', 'an object', /update the library/],
  ['a schema that no object passes', { 'message.schema': { chat: { type: 'string' } } }, 'message.schema.chat', 'an object', /type: 'object'/],
  ['Joi before 18', { 'message.schema': { chat: joi } }, 'message.schema.chat', 'an object', /joi to 18/],
  ['a library without Standard Schema', { 'message.schema': { chat: { parse() {} } } }, 'message.schema.chat', 'an object', /update the library/],
  ['a bare function', { 'message.schema': { chat: () => true } }, 'message.schema.chat', 'a function', /message\.authorize/],
  ['an empty schema', { 'message.schema': { chat: {} } }, 'message.schema.chat', 'an object', /type: 'object'/],
  ['true as schema', { 'message.schema': { chat: true } }, 'message.schema.chat', 'true', /Standard Schema/],
  ['a list of schemas', { 'message.schema': { chat: [{ type: 'object' }] } }, 'message.schema.chat', 'a list of 1', /anyOf/],
  ['a misspelt keyword', { 'message.schema': { chat: { propertys: {} } } }, 'message.schema.chat', 'an object', /`properties`/, 'properties'],
  ['a misspelt JSON type', { 'message.schema': { chat: { type: 'objekt' } } }, 'message.schema.chat', 'an object', /'object'/, 'object'],
  ['fields without an object around them', { 'message.schema': { chat: { type: { '~standard': {} }, text: {} } } }, 'message.schema.chat', 'an object', /z\.object/],
  ['a broken Standard Schema', { 'message.schema': { chat: { '~standard': {} } } }, 'message.schema.chat', 'an object', /Standard Schema/],
  ['a type named as what every object has', { 'message.schema': { toString: { type: 'object' } } }, 'message.schema.toString', 'an object', /name of 1 to 128/],
  ['a type named __proto__', { 'message.schema': JSON.parse('{"__proto__":{"type":"object"}}') }, 'message.schema.__proto__', 'an object', /name of 1 to 128/],
  ['the type of the first message', { 'handshake.ticket': firstMessage, 'message.schema': { auth: { type: 'object' } } }, 'message.schema.auth', 'an object', /another name/],
  ['a prototype as discriminator', { 'message.discriminator': '__proto__' }, 'message.discriminator', "'__proto__'", /'type'/],
  ['an unknown way with unknown fields', { 'message.unknownFields': 'stripe' }, 'message.unknownFields', "'stripe'", /'strip'/, 'strip'],
  ['0 strikes', { 'message.strikes': 0 }, 'message.strikes', '0', /from 1/],
  ['big integers as numbers', { 'message.format': { bigIntegers: 'number' } }, 'message.format.bigIntegers', "'number'", /refuse.*text.*bigint/],
  ['big integers of text that nobody parses', { 'message.schema': { dangerouslyAcceptAnyMessage: true }, 'message.format': { data: 'text', bigIntegers: 'text' } }, 'message.format.bigIntegers', 'a string', /data: 'json'/],
  ['a schema over unparsed text', { 'message.format': { data: 'text' } }, 'message.format.data', "'text'", /dangerouslyAcceptAnyMessage/],
  ['a schema without format', { 'message.format': { dangerouslyOff: true } }, 'message.format.dangerouslyOff', 'true', /dangerouslyAcceptAnyMessage/],
  ['a megabit', { 'message.size': { bytes: '64 kbit' } }, 'message.size.bytes', "'64 kbit'", /64 KiB|kib/i],
  ['a size as bare text', { 'message.size': { bytes: '65536' } }, 'message.size.bytes', "'65536'", /65536 without quotes/],
  ['a stranger gets more than a session', { 'handshake.ticket': firstMessage, 'message.size': { bytes: 100, unauthenticatedBytes: 101 } }, 'message.size.unauthenticatedBytes', '101', /less than/],
  ['a message larger than its budget', { 'message.rate': { bytes: '1 KiB' } }, 'message.rate.bytes', "'1 KiB'", /raise it/],
  ['a cost for an undeclared type', { 'message.rate': { cost: { caht: 2 } } }, 'message.rate.cost.caht', '2', /`chat`/, 'chat'],
  ['a cost of 0', { 'message.rate': { cost: { chat: 0 } } }, 'message.rate.cost.chat', '0', /chat: 5/],
  ['a cost that never fits', { 'message.rate': { messages: 5, per: '1 s', cost: { chat: 6 } } }, 'message.rate.cost.chat', '6', /5 or less/],
  ['a misspelt answer to excess', { 'message.rate': { exceed: 'dorp' } }, 'message.rate.exceed', "'dorp'", /'drop'/, 'drop'],
  ['no message a user', { 'message.rate': { perUser: { messages: 0, per: '1 s' } } }, 'message.rate.perUser.messages', '0', /from 1/],
  ['an empty outbound map', { 'message.outbound': {} }, 'message.outbound', 'an empty object', /schema:/],
  ['a time as bare text', { 'lifetime.idle': { after: '5000' } }, 'lifetime.idle.after', "'5000'", /'5000 ms' or '5000 seconds'/],
  ['a unit without number', { 'lifetime.idle': { after: 'minute' } }, 'lifetime.idle.after', "'minute'", /'1 minute'/],
  ['a misspelt unit', { 'lifetime.idle': { after: '5 secnods' } }, 'lifetime.idle.after', "'5 secnods'", /'5 seconds'/, 'seconds'],
  ['no time', { 'lifetime.age': { max: 0 } }, 'lifetime.age.max', '0', /milliseconds/],
  ['a time before now', { 'lifetime.age': { max: -1 } }, 'lifetime.age.max', '-1', /milliseconds/],
  ['not a number', { 'lifetime.age': { max: Number.NaN } }, 'lifetime.age.max', 'NaN', /milliseconds/],
  ['for ever', { 'lifetime.age': { max: Infinity } }, 'lifetime.age.max', 'Infinity', /dangerouslyOff/],
  ['a timer that fires at once', { 'lifetime.age': { max: '25 days' } }, 'lifetime.age.max', "'25 days'", /24 days/],
  ['a pong after the next ping', { 'lifetime.heartbeat': { interval: '5 s', timeout: '6 s' } }, 'lifetime.heartbeat.timeout', "'6 s'", /no more than/],
  ['trust in everybody', { proxy: { trust: ['0.0.0.0/0'] } }, 'proxy.trust[0]', "'0.0.0.0/0'", /your proxies/],
  ['trust in half of everybody', { proxy: { trust: ['128.0.0.0/1'] } }, 'proxy.trust[0]', "'128.0.0.0/1'", /your proxies/],
  ['trust in all of IPv6', { proxy: { trust: ['::/0'] } }, 'proxy.trust[0]', "'::/0'", /your proxies/],
  ['trust in all of IPv4, mapped', { proxy: { trust: ['::ffff:0:0/96'] } }, 'proxy.trust[0]', "'::ffff:0:0/96'", /your proxies/],
  ['a proxy by name', { proxy: { trust: ['localhost'] } }, 'proxy.trust[0]', "'localhost'", /10\.0\.0\.5/],
  ['an address in short form', { proxy: { trust: ['127.1'] } }, 'proxy.trust[0]', "'127.1'", /10\.0\.0\.5/],
  ['trust in one unix socket', { proxy: { trust: ['unix:/run/app.sock'] } }, 'proxy.trust[0]', "'unix:/run/app.sock'", /'unix:'/],
  ['trust in a unix socket by its path', { proxy: { trust: ['/run/app.sock'] } }, 'proxy.trust[0]', "'/run/app.sock'", /'unix:'/],
  ['trust in a unix socket, as a word', { proxy: { trust: ['unix'] } }, 'proxy.trust[0]', "'unix'", /'unix:'/],
  ['trust as true', { proxy: { trust: true } }, 'proxy.trust', 'true', /\[/],
  ['a misspelt header', { proxy: { trust: [], header: 'x-forwared-for' } }, 'proxy.header', "'x-forwared-for'", /x-forwarded-for/, 'x-forwarded-for'],
  ['a misspelt id to report', { report: ['handshake/orign'] }, 'report[0]', "'handshake/orign'", /'handshake\/origin'/, 'handshake/origin'],
  ['report as text', { report: 'true' }, 'report', 'a string', /\[/],
  ['a store that lacks a method', { store }, 'store', 'an object', /onRevoked/],
  ['a store that is still to come', { store: Promise.resolve(store) }, 'store', 'a Promise', /await it first/],
  ['the address of a store', { store: 'redis://:hunter2@redis' }, 'store', 'a string', /store: redis\(client, \{ secret \}\)/],
  ['a store that was not called', { store: createMemoryStore }, 'store', 'a function', /store: redis\(/],
  ['a logger that is still to come', { events: { log: Promise.resolve(console) } }, 'events.log', 'a Promise', /await it first/],
  ['a level instead of a logger', { events: { log: 'info' } }, 'events.log', 'a string', /log: pino\(\), an object with the methods info/],
  ['a logger that is a function', { events: { log: () => {} } }, 'events.log', 'a function', /info, warn, error/],
  ['a guessable hash key', { events: { hashKey: 'a'.repeat(32) } }, 'events.hashKey', '(hidden, 32 bytes)', /openssl/],
  ['a name that forges a line', { name: 'chat\nadmin' }, 'name', "'chat\\u{a}admin'", /sallyport/],
  ['null as a section', { lifetime: null }, 'lifetime', 'null', /lifetime: \{ idle/],
  ['a list as a section', { lifetime: [] }, 'lifetime', 'an empty list', /lifetime: \{ idle/],
  ['a section that is still to come', { lifetime: Promise.resolve({ idle: { after: 5 } }) }, 'lifetime', 'a Promise', /await it/],
  ['a section that another library promises', { 'message.rate': new Later() }, 'message.rate', 'a Promise', /await it/],
  ['a Map as a section', { 'message.rate': new Map([['messages', 5]]) }, 'message.rate', 'a Map', /rate: \{ messages/],
  ['a URL as a section', { 'message.size': new URL('https://a.example') }, 'message.size', 'a URL', /a plain object/],
  ['an instance whose keys are getters', { 'message.size': new Size() }, 'message.size', 'an object', /a plain object/],
  ['an instance without a key', { 'message.size': new Nothing() }, 'message.size', 'an object', /a plain object/],
]

for (const [name, changes, path, value, remedy, nearest] of ROWS) {
  test(`mistake: ${name}`, () => {
    const problems = problemsOf(policyWith(changes))
    const [problem] = problems
    assert.equal(problems.length, 1, JSON.stringify(problems))
    assert.equal(problem?.path, path)
    assert.equal(problem?.value, value)
    assert.match(problem?.remedy, remedy)
    assert.notEqual(problem?.message, '')
    assert.equal(problem?.nearest, nearest)
  })
}

test('the honest policy has none of these', () => {
  assert.deepEqual(problemsOf(policyWith()), [])
})

test('docs/guide/troubleshooting.md shows what is said', () => {
  const page = readFileSync(new URL('../../../../docs/guide/troubleshooting.md', import.meta.url), 'utf8')
  const [, shown] = /```text\n(PolicyError: .*?)\n```/s.exec(page) ?? []
  const mistaken = policyWith({
    'handshake.origin': { allow: ['https://app.company.com/'] },
    'handshake.rate': Promise.resolve({}),
    'message.maxPayload': 65_536,
  })
  assert.throws(
    () => parsePolicy(mistaken),
    (error: unknown) => String(error) === shown,
  )
})
