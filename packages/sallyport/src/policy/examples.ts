import { DEFINITIONS } from './definitions.ts'
import type { AnyDefinition } from '../controls/definition.ts'

const ofControl = ({
  id,
  example,
  examples = {},
}: AnyDefinition): readonly (readonly [string, string | undefined])[] => {
  const path = id.replace('/', '.')
  return [[path, example], ...Object.entries(examples).map(([key, text]) => [`${path}.${key}`, text] as const)]
}

/**
 * An example for a section, by its path. It is shown if the policy has another value than an object there, or an
 * unknown key.
 */
export const EXAMPLES: Readonly<Record<string, string | undefined>> = {
  ...Object.fromEntries(DEFINITIONS.flatMap(ofControl)),
  '': '{ handshake: { … }, message: { … } }',
  proxy: "proxy: { trust: ['10.0.0.5'] }",
  events: 'events: { log: pino() }',
  handshake: 'handshake: { origin: { … }, session: … }',
  message: 'message: { schema: { chat: ChatSchema } }',
  lifetime: "lifetime: { idle: { after: '15 minutes' } }",
  'message.heartbeat': "heartbeat: [{ text: 'ping', reply: 'pong' }]",
}
