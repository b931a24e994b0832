import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'No Origin check: a page reads private messages',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [{ origin: 'https://evil.localhost' }, { origin: 'https://evil.app.shop.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
