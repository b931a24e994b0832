import type { Flaw } from '../ground/description.ts'

const HARM = 16 * 1024 * 1024

export const flaw: Flaw = {
  title: 'No size limit: one message of 64 MiB is taken and kept',
  kind: 'client',
  control: 'message/size',
  // The attacker's notes are in the server's memory.
  harmed: ({ ground }) => ground.accounts.get('mallory')!.privateMessages.some(({ length }) => length > HARM),
  honest: { send: { type: 'keepNote', text: 'Milk' }, reply: 'kept' },
}
