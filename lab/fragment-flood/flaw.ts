import type { WebSocketServer } from 'ws'
import type { Flaw } from '../ground/description.ts'
import { exhibited } from '../ground/exhibit.ts'

const HARM = 10_000

/** What ws keeps of a message that has not ended. */
interface Receiving {
  readonly _receiver: { readonly _fragments: readonly Buffer[] }
}

export const flaw: Flaw = {
  title: 'Fragment flood: 30 KB in 30 000 pieces that never end',
  kind: 'client',
  control: 'message/size',
  harmed: ({ ground }) =>
    [...exhibited<WebSocketServer>(ground).clients].some(
      socket => (socket as unknown as Receiving)._receiver._fragments.length > HARM,
    ),
  honest: { send: { type: 'note' }, reply: 'noted' },
}
