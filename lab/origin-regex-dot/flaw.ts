import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Origin checked with a regex whose dot is not escaped',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [{ origin: 'https://appxshop.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
