import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Over-sharing: a profile bears the password hash and private messages',
  kind: 'client',
  control: 'message/outbound',
  honest: { send: { type: 'whoAmI' }, reply: 'you' },
}
