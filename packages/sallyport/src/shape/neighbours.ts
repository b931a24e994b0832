/** Where the policy says what other libraries call otherwise, and how. */
export interface Neighbour {
  /** The path of the key: `message.size.bytes`. */
  readonly path: string
  /** What to write below its section. */
  readonly write: string
}

const ORIGIN: Neighbour = {
  path: 'handshake.origin.allow',
  write: "handshake: { origin: { allow: ['https://app.company.com'] } }",
}
const RULE: Neighbour = { path: 'handshake.authorize', write: 'handshake: { authorize: (session, request) => … }' }
const SESSION: Neighbour = { path: 'handshake.session', write: 'handshake: { session: request => … }' }
const SIZE: Neighbour = { path: 'message.size.bytes', write: "message: { size: { bytes: '64 KiB' } }" }
const RATE: Neighbour = {
  path: 'message.rate',
  write: "message: { rate: { messages: 100, per: '1 minute' } }; handshakes are counted by handshake.rate",
}
const DEFLATE: Neighbour = {
  path: 'handshake.extensions.deflate',
  write: 'handshake: { extensions: { deflate: true } }',
}
const PROTOCOLS: Neighbour = {
  path: 'handshake.subprotocol.serve',
  write: "handshake: { subprotocol: { serve: ['chat.v1'] } }",
}
const HEARTBEAT: Neighbour = {
  path: 'lifetime.heartbeat',
  write: "lifetime: { heartbeat: { interval: '30 seconds', timeout: '10 seconds' } }",
}
const AGE: Neighbour = { path: 'lifetime.age.max', write: "lifetime: { age: { max: '12 hours' } }" }
const SCHEMA: Neighbour = { path: 'message.schema', write: 'message: { schema: { chat: ChatSchema } }' }

/** Keys of ws, Socket.IO, uWebSockets.js, cors and express-rate-limit, in lower case. */
const NEIGHBOURS: ReadonlyMap<string, Neighbour> = new Map([
  ['cors', ORIGIN],
  ['origins', ORIGIN],
  ['allowedorigins', ORIGIN],
  ['alloworigin', ORIGIN],
  ['alloworigins', ORIGIN],
  ['verifyclient', RULE],
  ['allowrequest', RULE],
  ['authenticate', SESSION],
  ['auth', SESSION],
  ['jwt', SESSION],
  ['cookie', SESSION],
  ['maxpayload', SIZE],
  ['maxpayloadlength', SIZE],
  ['maxhttpbuffersize', SIZE],
  ['maxmessagesize', SIZE],
  ['ratelimit', RATE],
  ['ratelimiter', RATE],
  ['limiter', RATE],
  ['limit', RATE],
  ['throttle', RATE],
  ['windowms', RATE],
  ['max', RATE],
  ['permessagedeflate', DEFLATE],
  ['compression', DEFLATE],
  ['handleprotocols', PROTOCOLS],
  ['protocols', PROTOCOLS],
  ['subprotocols', PROTOCOLS],
  ['ping', HEARTBEAT],
  ['pinginterval', HEARTBEAT],
  ['pingtimeout', HEARTBEAT],
  ['keepalive', HEARTBEAT],
  ['sendpingsautomatically', HEARTBEAT],
  ['idletimeout', { path: 'lifetime.idle.after', write: "lifetime: { idle: { after: '15 minutes' } }" }],
  ['maxage', AGE],
  ['maxlifetime', AGE],
  ['expires', AGE],
  ['maxbackpressure', { path: 'lifetime.backpressure.bytes', write: "lifetime: { backpressure: { bytes: '1 MiB' } }" }],
  ['maxconnections', { path: 'handshake.connections.total', write: 'handshake: { connections: { total: 10000 } }' }],
  ['trustproxy', { path: 'proxy.trust', write: "proxy: { trust: ['10.0.0.5'] }" }],
  ['validate', SCHEMA],
  ['validator', SCHEMA],
  ['schemas', SCHEMA],
  ['logger', { path: 'events.log', write: 'events: { log: pino() }' }],
  ['redis', { path: 'store', write: 'store: redis(client, { secret })' }],
])

/** What another library's key is called here; undefined for a key of nobody's. */
export function neighbourOf(key: string): Neighbour | undefined {
  return NEIGHBOURS.get(key.toLowerCase().replaceAll(/[\s_-]/g, ''))
}

/** Keys of a server or its socket: no part of a policy. */
const OF_A_SERVER: ReadonlySet<string> = new Set([
  'port',
  'server',
  'noServer',
  'path',
  'tls',
  'cert',
  'key',
  'handlers',
  'ticketPath',
])

/** What to write where an option of the server stands in its policy; undefined for any other key. */
export function remedyOfServer(key: string): string | undefined {
  return OF_A_SERVER.has(key)
    ? `it belongs to the server: serve({ guard, ${key}: … }), or new WebSocketServer({ …, ...guard.ws() })`
    : undefined
}
