import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Origin checked on one spelling of the path: /%2Fws is /ws after the check',
  kind: 'browser',
  control: 'handshake/request',
  sameSite: 'none',
  attackers: [{ origin: 'https://evil.localhost' }, { origin: 'https://evil.app.shop.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
