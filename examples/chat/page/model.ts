import type { Outgoing, Person } from '../src/messages.ts'

/** A conversation: a room, or one other person. */
export type Place =
  | { readonly kind: 'room'; readonly id: string; readonly name: string; readonly topic: string }
  | { readonly kind: 'person'; readonly name: string }

/** A message as the page shows it. `from` is null where the account is gone. */
export interface Said {
  readonly id: number
  readonly from: string | null
  readonly text: string
  readonly at: number
}

/** All that the page knows. Changed by `learn` alone. */
export interface Model {
  you: string
  rooms: readonly (Place & { kind: 'room' })[]
  people: readonly Person[]
  here: Place | null
  readonly said: Map<string, Said[]>
  readonly unread: Map<string, number>
  /** Who types where, until when (ms since the epoch). */
  readonly typing: Map<string, { readonly from: string; readonly until: number }>
}

/** Messages kept of one conversation. */
const KEPT = 500
const TYPING_MS = 4000

export function createModel(): Model {
  return { you: '', rooms: [], people: [], here: null, said: new Map(), unread: new Map(), typing: new Map() }
}

export function keyOf(place: Place): string {
  return place.kind === 'room' ? `room/${place.id}` : `person/${place.name}`
}

/** All conversations in the order of the sidebar. */
export function placesOf(model: Model): readonly Place[] {
  const others = model.people.filter(person => person.name !== model.you)
  return [...model.rooms, ...others.map(({ name }): Place => ({ kind: 'person', name }))]
}

export function displayName(model: Model, name: string | null): string {
  return name === null ? 'Deleted account' : (model.people.find(person => person.name === name)?.displayName ?? name)
}

/** Takes in one message of the server. Answers which conversation got new words, if one did. */
export function learn(model: Model, message: Outgoing): { readonly key: string; readonly live: boolean } | null {
  switch (message.type) {
    case 'welcome':
      model.you = message.you
      model.rooms = message.rooms.map(room => ({ kind: 'room', ...room }))
      model.people = message.people
      model.here ??= model.rooms[0] ?? null
      return null
    case 'people':
      model.people = message.people
      return null
    case 'history':
      model.said.set(`room/${message.roomId}`, [...message.messages])
      return { key: `room/${message.roomId}`, live: false }
    case 'privateMessages':
      for (const key of model.said.keys()) if (key.startsWith('person/')) model.said.delete(key)
      for (const said of message.messages) listOf(model, privateKey(model, said)).push(said)
      return { key: model.here === null ? '' : keyOf(model.here), live: false }
    case 'chat':
      return add(model, `room/${message.roomId}`, message.message)
    case 'private':
      return add(model, privateKey(model, message.message), message.message)
    case 'typing':
      model.typing.set(`room/${message.roomId}`, { from: message.from, until: Date.now() + TYPING_MS })
      return null
    default:
      return null
  }
}

function add(model: Model, key: string, said: Said): { readonly key: string; readonly live: boolean } {
  const list = listOf(model, key)
  list.push(said)
  if (list.length > KEPT) list.shift()
  if (model.typing.get(key)?.from === said.from) model.typing.delete(key)
  const seen = model.here !== null && keyOf(model.here) === key && document.visibilityState === 'visible'
  if (!seen && said.from !== model.you) model.unread.set(key, (model.unread.get(key) ?? 0) + 1)
  return { key, live: true }
}

function privateKey(model: Model, said: { readonly from: string; readonly to: string }): string {
  return `person/${said.from === model.you ? said.to : said.from}`
}

function listOf(model: Model, key: string): Said[] {
  const list = model.said.get(key) ?? []
  model.said.set(key, list)
  return list
}
