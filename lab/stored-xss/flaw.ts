import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Stored XSS: a relayed message runs in the page of whoever reads it',
  kind: 'browser',
  control: 'message/schema',
  sameSite: 'lax',
  // The victim looks at the app's own page, so her cookie is there in every browser.
  attackers: [
    {
      origin: 'https://evil.localhost',
      succeedsIn: ['chromium', 'chromium-debian', 'firefox', 'firefox-open', 'webkit', 'webkit-itp'],
    },
  ],
  honest: { send: { type: 'say', text: 'Good morning' }, reply: 'said' },
}
