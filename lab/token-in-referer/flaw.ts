import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Session token in the address of the page: the Referer tells it',
  kind: 'browser',
  control: 'handshake/ticket',
  sameSite: 'lax',
  attackers: [
    {
      origin: 'https://evil.localhost',
      // No cookie has to travel; the others cut the Referer down to the origin, whatever the page asks for.
      succeedsIn: ['chromium', 'chromium-debian', 'webkit'],
    },
  ],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
