import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Flaw } from '../ground/description.ts'
import { exhibited } from '../ground/exhibit.ts'

export const flaw: Flaw = {
  title: 'Shell injection: a file name runs a command',
  kind: 'client',
  control: 'message/schema',
  harmed: ({ ground }) => existsSync(join(exhibited<string>(ground), 'owned')),
  honest: { send: { type: 'convert', filename: 'cat.png' }, reply: 'converted' },
}
