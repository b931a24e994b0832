import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Origin checked with includes()',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [{ origin: 'https://app.shop.localhost.evil.localhost' }, { origin: 'https://evil-app.shop.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
