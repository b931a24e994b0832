import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'SameSite=Lax is all there is',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'lax',
  attackers: [{ origin: 'https://evil.app.shop.localhost' }, { origin: 'https://evil.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
