import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'A second upgrade listener without the check',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [{ origin: 'https://evil.localhost' }, { origin: 'https://evil.app.shop.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
