import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Path traversal: a page name leads out of its folder',
  kind: 'client',
  control: 'message/schema',
  honest: { send: { type: 'getHelp', page: 'start.md' }, reply: 'help' },
}
