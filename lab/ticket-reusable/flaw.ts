import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'CSRF token that never expires and is good again and again',
  kind: 'client',
  control: 'handshake/ticket',
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
