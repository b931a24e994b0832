import type { Flaw } from '../ground/description.ts'

const HARM = 16 * 1024 * 1024

export const flaw: Flaw = {
  title: 'Deflate bomb: 64 KiB on the wire are 64 MiB in memory',
  kind: 'client',
  control: 'message/size',
  // The attacker's notes are in the server's memory.
  harmed: ({ ground }) => ground.accounts.get('mallory')!.privateMessages.some(({ length }) => length > HARM),
  honest: { send: { type: 'keepNote', text: 'Milk' }, reply: 'kept' },
}
