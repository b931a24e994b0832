import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Origin compared with Host: DNS rebinding',
  kind: 'browser',
  control: 'handshake/host',
  plain: true,
  rebinds: true,
  attackers: [{ origin: 'http://rebind.evil.localhost' }],
  honest: { send: { type: 'readFile', name: '.env' }, reply: 'file' },
}
