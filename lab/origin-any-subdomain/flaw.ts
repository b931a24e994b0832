import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Any subdomain is trusted',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'strict',
  attackers: [{ origin: 'https://evil.app.shop.localhost' }, { origin: 'https://old-campaign.shop.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
