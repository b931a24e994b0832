import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'No Origin check: a page reads private messages',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'none',
  attackers: [
    { origin: 'https://evil.localhost' },
    { origin: 'https://evil.app.shop.localhost' },
    {
      origin: 'https://evil.localhost',
      page: 'exploit-popup.html',
      popup: true,
      // WebKitGTK under automation opens no window.
      runsIn: ['chromium', 'chromium-debian', 'firefox', 'firefox-open'],
      succeedsIn: ['chromium', 'firefox', 'firefox-open'],
    },
  ],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
