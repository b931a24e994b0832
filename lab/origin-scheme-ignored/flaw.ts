import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Only the host of the Origin is compared',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [{ origin: 'http://app.shop.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
