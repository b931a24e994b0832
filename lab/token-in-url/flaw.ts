import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Session token in the address: a line of the access log is enough',
  kind: 'client',
  control: 'handshake/ticket',
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
