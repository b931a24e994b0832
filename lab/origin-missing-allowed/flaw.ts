import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'No Origin is taken for a native client',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [
    { origin: 'https://evil.localhost', framed: true },
    { origin: 'https://evil.app.shop.localhost', framed: true },
  ],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
