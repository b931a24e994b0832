import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'SameSite was Lax until a widget needed None',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [{ origin: 'https://evil.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
