import { DEFINITIONS } from './definitions.ts'

/**
 * An example for a section, by its path. It is shown if the policy has another value than an object there, or an
 * unknown key.
 */
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
