import type { WebSocketServer } from 'ws'
import type { Flaw } from '../ground/description.ts'
import { exhibited } from '../ground/exhibit.ts'

const HARM = 16 * 1024 * 1024

export const flaw: Flaw = {
  title: 'Slow reader: what a peer does not read piles up in the server',
  kind: 'client',
  control: 'lifetime/backpressure',
  harmed: ({ ground }) => {
    const waiting = [...exhibited<WebSocketServer>(ground).clients].map(({ bufferedAmount }) => bufferedAmount)
    return waiting.reduce((sum, bytes) => sum + bytes, 0) > HARM
  },
  honest: { send: { type: 'draw', stroke: 1 }, reply: 'board' },
}
