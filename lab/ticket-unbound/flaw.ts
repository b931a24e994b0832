import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: "Ticket not bound to its session: the attacker's own opens the victim's socket",
  kind: 'browser',
  control: 'handshake/ticket',
  sameSite: 'none',
  attackers: [{ origin: 'https://evil.localhost' }, { origin: 'https://evil.app.shop.localhost' }],
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
