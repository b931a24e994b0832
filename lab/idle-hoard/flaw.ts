import type { Flaw } from '../ground/description.ts'
import { exhibited } from '../ground/exhibit.ts'

export const flaw: Flaw = {
  title: 'Idle hoard: one user takes every seat and says nothing',
  kind: 'client',
  control: 'handshake/connections',
  harmed: ({ ground }) => exhibited<string[]>(ground).includes('ann'),
  honest: { send: { type: 'whoAmI' }, reply: 'you' },
}
