import { z } from 'zod'

const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/)
const words = z.string().trim().min(1).max(1000)
const stored = { id: z.int(), text: z.string(), at: z.int() }
const roomMessage = z.object({ ...stored, from: z.nullable(z.string()) })
const privateMessage = z.object({ ...stored, from: z.string(), to: z.string() })
const person = z.object({ name: z.string(), displayName: z.string(), online: z.boolean() })

/** What a page may send, by type. Everything else is refused before it reaches a handler. */
export const INCOMING = {
  chat: z.object({ type: z.literal('chat'), roomId: z.uuid(), message: words }),
  private: z.object({ type: z.literal('private'), to: name, message: words }),
  history: z.object({ type: z.literal('history'), roomId: z.uuid() }),
  getPrivateMessages: z.object({ type: z.literal('getPrivateMessages') }),
  typing: z.object({ type: z.literal('typing'), roomId: z.uuid() }),
  deleteAccount: z.object({ type: z.literal('deleteAccount') }),
} as const

/** What the app may send, by type. A field that is not here never leaves, whatever a query returned. */
export const OUTGOING = {
  welcome: z.object({
    type: z.literal('welcome'),
    you: z.string(),
    rooms: z.array(z.object({ id: z.string(), name: z.string(), topic: z.string() })),
    people: z.array(person),
  }),
  people: z.object({ type: z.literal('people'), people: z.array(person) }),
  chat: z.object({ type: z.literal('chat'), roomId: z.string(), message: roomMessage }),
  private: z.object({ type: z.literal('private'), message: privateMessage }),
  history: z.object({ type: z.literal('history'), roomId: z.string(), messages: z.array(roomMessage) }),
  privateMessages: z.object({ type: z.literal('privateMessages'), messages: z.array(privateMessage) }),
  typing: z.object({ type: z.literal('typing'), roomId: z.string(), from: z.string() }),
  accountDeleted: z.object({ type: z.literal('accountDeleted') }),
} as const

/** A message from a page, once its schema let it through. */
export type Incoming = { readonly [Type in keyof typeof INCOMING]: z.output<(typeof INCOMING)[Type]> }
/** A message to a page. */
export type Outgoing = z.output<(typeof OUTGOING)[keyof typeof OUTGOING]>
/** Someone in the list of people. */
export type Person = z.output<typeof person>
