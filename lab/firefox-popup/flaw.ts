import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Trust in Total Cookie Protection: a popup and two clicks undo it',
  kind: 'browser',
  control: 'handshake/origin',
  sameSite: 'unset',
  attackers: [
    {
      origin: 'https://evil.localhost',
      popup: true,
      // WebKitGTK under automation opens no window.
      runsIn: ['chromium', 'chromium-debian', 'firefox', 'firefox-open'],
    },
  ],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
