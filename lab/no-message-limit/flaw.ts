import type { Flaw } from '../ground/description.ts'
import { exhibited } from '../ground/exhibit.ts'

export const flaw: Flaw = {
  title: 'No message limit: a flood washes away what others said',
  kind: 'client',
  control: 'message/rate',
  harmed: ({ ground }) => !exhibited<string[]>(ground).some(line => line.startsWith('ann: ')),
  honest: { send: { type: 'getHistory' }, reply: 'history' },
}
