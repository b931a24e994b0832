import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'No rate limit: a PIN is guessed over one socket',
  kind: 'client',
  control: 'message/rate',
  honest: { send: { type: 'openSafe', owner: 'ann', pin: '0000' }, reply: 'safe' },
}
