import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HISTORY_LENGTH, openChatStore } from '../src/chat-store.ts'
import { ensureDemoContent } from '../src/demo-content.ts'

const ROOM = { id: '3f1c1f0e-6f0b-4c55-9f6c-2a5b6f5a9d01', name: 'lobby', topic: '' }

/** What would end or extend a statement, had it become part of one. */
const INJECTIONS = [
  `'; DROP TABLE users; --`,
  `' OR '1'='1`,
  `" OR ""="`,
  `1); DELETE FROM messages; --`,
  `\u0000'; DROP TABLE users; --`,
  `%' UNION SELECT password_hash FROM users --`,
]
for (const text of INJECTIONS) {
  test(`store: ${JSON.stringify(text)} is a value wherever it stands`, () => {
    const store = openChatStore(':memory:')
    const alice = store.addUser('alice', text, 'hash')
    store.addRoom({ ...ROOM, topic: text })
    store.addMessage(ROOM.id, alice, text, 1)
    store.addPrivateMessage(alice, alice, text, 1)
    assert.equal(store.userByName(text), undefined)
    assert.equal(store.passwordHash(text), null)
    assert.equal(store.room(text), undefined)
    assert.deepEqual(store.history(text), [])
    assert.equal(store.history(ROOM.id)[0]?.text, text)
    assert.equal(store.privateMessages(alice)[0]?.text, text)
    assert.equal(store.userByName('alice')?.displayName, text)
    store.close()
  })
}

test('store: no query for people returns the password hash', () => {
  const store = openChatStore(':memory:')
  const { id } = store.addUser('alice', 'Alice', 'the-hash')
  for (const row of [store.user(id), store.userByName('alice'), ...store.users()]) {
    assert.deepEqual(Object.keys(row ?? {}), ['id', 'name', 'displayName'])
  }
  store.close()
})

test('store: a deleted account takes its private messages along and leaves nameless words in rooms', () => {
  const store = openChatStore(':memory:')
  const alice = store.addUser('alice', 'Alice', 'hash')
  const bob = store.addUser('bob', 'Bob', 'hash')
  store.addRoom(ROOM)
  store.addMessage(ROOM.id, alice, 'hello', 1)
  store.addPrivateMessage(alice, bob, 'psst', 1)
  store.deleteUser(alice.id)
  assert.equal(store.user(alice.id), undefined)
  assert.equal(store.history(ROOM.id)[0]?.from, null)
  assert.deepEqual(store.privateMessages(bob), [])
  assert.throws(() => store.addMessage(ROOM.id, alice, 'from beyond', 2), /FOREIGN KEY/)
  store.close()
})

test('store: a history is the newest messages, oldest first, and bounded', () => {
  const store = openChatStore(':memory:')
  const alice = store.addUser('alice', 'Alice', 'hash')
  store.addRoom(ROOM)
  for (let at = 1; at <= HISTORY_LENGTH + 1; at++) store.addMessage(ROOM.id, alice, String(at), at)
  const history = store.history(ROOM.id)
  assert.equal(history.length, HISTORY_LENGTH)
  assert.equal(history[0]?.text, '2')
  assert.equal(history.at(-1)?.text, String(HISTORY_LENGTH + 1))
  store.close()
})

test('store: nobody reads what others wrote to each other', () => {
  const store = openChatStore(':memory:')
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map(name => store.addUser(name, name, 'hash'))
  store.addPrivateMessage(alice!, bob!, 'psst', 1)
  assert.equal(store.privateMessages(alice!).length, 1)
  assert.equal(store.privateMessages(bob!).length, 1)
  assert.deepEqual(store.privateMessages(carol!), [])
  store.close()
})

test('demo content: a second start adds nothing; a deleted account and its private messages are back', async () => {
  const store = openChatStore(':memory:')
  await ensureDemoContent(store, 1_000_000_000)
  const counts = (): readonly number[] => [
    store.users().length,
    store.history(store.rooms()[0]!.id).length,
    store.privateMessages(store.userByName('alice')!).length,
    store.privateMessages(store.userByName('carol')!).length,
  ]
  const before = counts()
  await ensureDemoContent(store, 2_000_000_000)
  assert.deepEqual(counts(), before)
  store.deleteUser(store.userByName('alice')!.id)
  await ensureDemoContent(store, 2_000_000_000)
  assert.deepEqual(counts(), before)
  store.close()
})
