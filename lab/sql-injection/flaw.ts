import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'SQL injection: an id reads another table',
  kind: 'client',
  control: 'message/schema',
  honest: { send: { type: 'getUser', userId: 1 }, reply: 'user' },
}
