import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Session checked only at the handshake: the socket survives the sign-out',
  kind: 'client',
  control: 'lifetime/session',
  honest: { send: { type: 'getPrivateMessages' }, reply: 'privateMessages' },
}
