import type { Flaw } from '../ground/description.ts'

export const flaw: Flaw = {
  title: 'Prototype pollution: __proto__ in a message makes everybody support staff',
  kind: 'client',
  control: 'message/format',
  honest: { send: { type: 'saveSettings', settings: { theme: 'dark' } }, reply: 'settings' },
}
