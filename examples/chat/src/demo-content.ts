import type { ChatStore } from './chat-store.ts'
import { hashPassword } from './password.ts'

/** An account that every start makes sure of, so that a deleted one is back after a restart. */
export interface DemoAccount {
  readonly name: string
  readonly displayName: string
  readonly password: string
}

export const DEMO_ACCOUNTS: readonly DemoAccount[] = [
  { name: 'alice', displayName: 'Alice Ferrari', password: 'wonderland' },
  { name: 'bob', displayName: 'Bob Okafor', password: 'tuesday-train' },
  { name: 'carol', displayName: 'Carol Lindqvist', password: 'paper-lantern' },
]

const LOBBY = '3f1c1f0e-6f0b-4c55-9f6c-2a5b6f5a9d01'
const LAUNCH = '8f0f5b1c-2d6e-4a3e-b1b9-0c7d1f7f4e02'
const KITCHEN = 'c2a7e9d4-91b3-4f0d-8a76-5e3b9a2c6f03'

const ROOMS = [
  { id: LOBBY, name: 'lobby', topic: 'Say hello, ask anything' },
  { id: LAUNCH, name: 'launch', topic: 'Everything before the 4th' },
  { id: KITCHEN, name: 'kitchen', topic: 'Lunch, mostly' },
] as const

/** Room, author, minutes before the first start, words. */
const TALK: readonly (readonly [string, string, number, string])[] = [
  [LOBBY, 'carol', 191, 'Morning! The new badges are at the front desk.'],
  [LOBBY, 'bob', 188, 'Thanks, picked mine up. The photo is… honest.'],
  [LOBBY, 'alice', 187, 'They all are. Mine looks like I am being refused entry somewhere.'],
  [LOBBY, 'alice', 187, 'Which, given what we build, is on brand.'],
  [LOBBY, 'carol', 164, 'Reminder: fire drill at three. Two doors, one at a time, no tailgating.'],
  [LOBBY, 'bob', 42, 'Is anybody else’s standing desk slowly sitting down?'],
  [LAUNCH, 'alice', 96, 'Dress rehearsal went through in eleven minutes. Twelve with the rollback.'],
  [LAUNCH, 'carol', 93, 'The status page text is ready for review. I kept it to four sentences.'],
  [LAUNCH, 'bob', 90, 'Four! Reading now.'],
  [KITCHEN, 'bob', 31, 'Soup is lentil today. I have checked twice.'],
  [KITCHEN, 'carol', 30, 'Twice is what they call diligence. Save me a bowl?'],
]

/** From, to, minutes before, words: what the attacker's page is after. */
const PRIVATE_TALK: readonly (readonly [string, string, number, string])[] = [
  ['bob', 'alice', 75, 'The safe in the archive: 27-04-19. Please burn after reading.'],
  ['alice', 'bob', 74, 'This is a chat, Bob.'],
  ['bob', 'alice', 74, 'Then please log out with feeling.'],
  ['carol', 'alice', 58, 'Between us: I said yes to the offer. I tell everybody on Monday.'],
  ['carol', 'bob', 55, 'You owe me one soup.'],
]

/** Makes the rooms, the accounts that are missing, and their private messages. */
export async function ensureDemoContent(store: ChatStore, now: number): Promise<void> {
  const minutes = (ago: number): number => now - ago * 60_000
  const missing = DEMO_ACCOUNTS.filter(({ name }) => store.userByName(name) === undefined)
  const hashes = await Promise.all(missing.map(({ password }) => hashPassword(password)))
  missing.forEach(({ name, displayName }, index) => store.addUser(name, displayName, hashes[index]!))

  if (store.rooms().length === 0) {
    for (const room of ROOMS) store.addRoom(room)
    for (const [roomId, from, ago, text] of TALK) {
      const author = store.userByName(from)
      if (author !== undefined) store.addMessage(roomId, author, text, minutes(ago))
    }
  }
  const made = new Set(missing.map(({ name }) => name))
  for (const [from, to, ago, text] of PRIVATE_TALK) {
    const sender = store.userByName(from)
    const receiver = store.userByName(to)
    if (sender === undefined || receiver === undefined || (!made.has(from) && !made.has(to))) continue
    store.addPrivateMessage(sender, receiver, text, minutes(ago))
  }
}
