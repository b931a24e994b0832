import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'SameSite=Strict is all there is',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'strict',
  attackers: [{ origin: 'https://evil.app.shop.localhost' }, { origin: 'https://evil.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
