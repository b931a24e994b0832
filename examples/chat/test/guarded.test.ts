import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { LOOPBACK } from '../src/port.ts'
import { ask, signIn } from './https-client.ts'
import { startTestChat } from './running-chat.ts'
import type { TestChat } from './running-chat.ts'

let running: TestChat
let cookie = ''
let roomId = ''
before(async () => {
  running = await startTestChat({})
  cookie = (await signIn(running.chat, 'alice', 'wonderland')) ?? ''
  roomId = running.chat.store.rooms()[0]!.id
})
after(() => running.end())

const patience = (): { readonly signal: AbortSignal } => ({ signal: AbortSignal.timeout(10_000) })

/** Opens a socket as the page does: with its cookie, its Origin and a ticket. */
async function open(): Promise<WebSocket> {
  const { origin } = running.chat
  const headers = { origin, cookie, 'sec-fetch-site': 'same-origin' }
  const { body } = await ask(origin, '/.sallyport/ticket?path=/ws', { method: 'POST', headers })
  const { ticket } = JSON.parse(body) as { readonly ticket: string }
  const { port, host } = new URL(origin)
  const socket = new WebSocket(`wss://${LOOPBACK}:${port}/ws`, ['sallyport.v1', `sallyport.ticket.${ticket}`], {
    headers: { host, cookie },
    origin,
    rejectUnauthorized: false,
  })
  await once(socket, 'open', patience())
  return socket
}

/** Sends one text and answers the next message that is an error, or an echo of a chat message. */
async function tell(socket: WebSocket, text: string): Promise<{ readonly type: string; readonly code?: string }> {
  socket.send(text)
  for (;;) {
    const [data] = (await once(socket, 'message', patience())) as [Buffer]
    const message = JSON.parse(data.toString()) as { readonly type: string; readonly code?: string }
    if (message.type === 'error' || message.type === 'chat') return message
  }
}

const HOSTILE: readonly (readonly [string, (room: string) => unknown, string])[] = [
  ['unknown type', () => ({ type: 'grantAdmin' }), 'SALLY_MESSAGE_TYPE'],
  ['no type', room => ({ roomId: room, message: 'x' }), 'SALLY_MESSAGE_TYPE'],
  ['an action key instead of a type', () => ({ action: 'deleteAccount' }), 'SALLY_MESSAGE_TYPE'],
  ['inherited name as type', () => ({ type: 'toString' }), 'SALLY_MESSAGE_TYPE'],
  ['SQL for a room', () => ({ type: 'chat', roomId: `' OR 1=1 --`, message: 'x' }), 'SALLY_MESSAGE_INVALID'],
  ['object for words', room => ({ type: 'chat', roomId: room, message: { $ne: 1 } }), 'SALLY_MESSAGE_INVALID'],
  ['1001 characters', room => ({ type: 'chat', roomId: room, message: 'x'.repeat(1001) }), 'SALLY_MESSAGE_INVALID'],
  ['blank words', room => ({ type: 'chat', roomId: room, message: ' \n ' }), 'SALLY_MESSAGE_INVALID'],
  ['list for an addressee', () => ({ type: 'private', to: ['bob'], message: 'x' }), 'SALLY_MESSAGE_INVALID'],
]
for (const [name, message, code] of HOSTILE) {
  test(`guarded: ${name} is answered with ${code} and reaches no handler`, async () => {
    const known = running.chat.store.history(roomId).length
    const socket = await open()
    const answer = await tell(socket, JSON.stringify(message(roomId)))
    assert.equal(answer.type, 'error')
    assert.equal(answer.code, code)
    assert.equal(running.chat.store.history(roomId).length, known)
    socket.close()
    await once(socket, 'close', patience())
  })
}

test('guarded: 1000 characters pass; a field that no schema knows does not come along', async () => {
  const socket = await open()
  const words = 'x'.repeat(1000)
  const answer = await tell(socket, JSON.stringify({ type: 'chat', roomId, message: words, from: 'bob', id: 7 }))
  assert.equal(answer.type, 'chat')
  const stored = running.chat.store.history(roomId).at(-1)
  assert.equal(stored?.text, words)
  assert.equal(stored.from, 'alice')
  socket.close()
  await once(socket, 'close', patience())
})

test('guarded: an account deleted on one connection closes the others of the same user', async () => {
  const [one, other] = [await open(), await open()]
  const closed = Promise.all([once(one, 'close', patience()), once(other, 'close', patience())])
  one.send(JSON.stringify({ type: 'deleteAccount' }))
  for (const [code] of await closed) assert.equal(code, 4401)
  assert.equal(running.chat.store.userByName('alice'), undefined)
  const headers = { origin: running.chat.origin, cookie, 'sec-fetch-site': 'same-origin' }
  const ticket = await ask(running.chat.origin, '/.sallyport/ticket?path=/ws', { method: 'POST', headers })
  assert.equal(ticket.status, 401)
})
