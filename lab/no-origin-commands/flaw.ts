import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'No Origin check: a page deletes the account',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [{ origin: 'https://evil.localhost' }, { origin: 'https://evil.app.shop.localhost' }],
  harmed: ({ ground }) => !ground.accounts.has('ann'),
  honest: { send: { type: 'whoAmI' }, reply: 'you' },
}
