import { DEFINITIONS } from './definitions.ts'

/** What to write in a section, by its path, where something else than an object stands, or a key of nobody. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(DEFINITIONS.map(({ id, example }) => [id.replace('/', '.'), example])),
  '': '{ handshake: { … }, message: { … } }',
  proxy: "proxy: { trust: ['10.0.0.5'] }",
  events: 'events: { log: pino() }',
  handshake: 'handshake: { origin: { … }, session: … }',
  message: 'message: { schema: { chat: ChatSchema } }',
  lifetime: "lifetime: { idle: { after: '15 minutes' } }",
  'message.heartbeat': "heartbeat: [{ text: 'ping', reply: 'pong' }]",
  'lifetime.authentication': "authentication: { deadline: '5 seconds' }",
  'handshake.extensions.deflate': "deflate: { threshold: '1 KiB' }",
}
