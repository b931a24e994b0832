import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Origin checked with a regex that has no anchors',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [{ origin: 'https://shop.localhost.evil.localhost' }, { origin: 'https://evil-shop.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
