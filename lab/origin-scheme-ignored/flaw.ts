import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Only the host of the Origin is compared',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [
    // Chromium tells http: and https: apart as sites: without third-party cookies nothing travels.
    {
      origin: 'http://app.shop.localhost',
      succeedsIn: ['chromium', 'firefox', 'firefox-open', 'webkit', 'webkit-itp'],
    },
  ],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
