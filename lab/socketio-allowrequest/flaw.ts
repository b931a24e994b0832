import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: "Socket.IO's allowRequest is not asked once there is a sid",
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'strict',
  attackers: [
    {
      origin: 'https://evil.localhost',
      popup: true,
      // WebKitGTK under automation opens no window.
      runsIn: ['chromium', 'chromium-debian', 'firefox', 'firefox-open'],
      // No cookie has to travel: all browsers are alike.
      succeedsIn: ['chromium', 'chromium-debian', 'firefox', 'firefox-open'],
    },
  ],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
