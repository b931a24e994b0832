import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Error leak: a failure tells the stack and a password',
  kind: 'client',
  control: 'message/outbound',
  honest: { send: { type: 'getRate', currency: 'EUR' }, reply: 'rate' },
}
