import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import { Listeners, takeOver } from '../../src/adapters/ws/guarded-socket.ts'
import type { LiveConnection } from '../../src/connection/live-connection.ts'
import { Subject } from '../../src/controls/message/subject.ts'
import { nextTexts } from '../support/world.ts'
import { createHost, type Host } from './ws-host.ts'

// Read off their bytes once the door knows what they look like: a schema that says what may be in which place.
const chat = {
  type: 'object',
  properties: { type: { const: 'chat' }, text: { type: 'string' } },
  required: ['type', 'text'],
}

async function started(t: TestContext, message: object = {}): Promise<Host> {
  const host = await createHost({ message: { schema: { chat }, ...message } })
  t.after(() => host.close())
  return host
}

const texts: readonly [name: string, text: string, heard: string][] = [
  ['as it would be written', '{"type":"chat","text":"a"}', '{"type":"chat","text":"a"}'],
  ['as the one before', '{"type":"chat","text":"b"}', '{"type":"chat","text":"b"}'],
  ['as the one before', '{"type":"chat","text":"c"}', '{"type":"chat","text":"c"}'],
  ['spaces', '{"type": "chat", "text": "d"}', '{"type": "chat", "text": "d"}'],
  ['spaces again', '{"type": "chat", "text": "e"}', '{"type": "chat", "text": "e"}'],
  ['a field that is not declared', '{"type":"chat","text":"f","admin":true}', '{"type":"chat","text":"f"}'],
  ['and again', '{"type":"chat","text":"g","admin":true}', '{"type":"chat","text":"g"}'],
  ['an escape', String.raw`{"type":"chat","text":"\u0068"}`, String.raw`{"type":"chat","text":"\u0068"}`],
  ['beyond ASCII', '{"type":"chat","text":"ï"}', '{"type":"chat","text":"ï"}'],
  ['the other order', '{"text":"j","type":"chat"}', '{"text":"j","type":"chat"}'],
  ['the other order again', '{"text":"k","type":"chat"}', '{"text":"k","type":"chat"}'],
]

test('listeners hear what came, byte for byte, except undeclared fields, however often', async t => {
  const { server, guard, open } = await started(t)
  const heard: Buffer[] = []
  new WebSocketServer({ server, ...guard.ws() } as ServerOptions).on('connection', socket => {
    socket.on('message', (data, isBinary) => {
      assert.ok(Buffer.isBuffer(data) && !isBinary)
      heard.push(data)
      socket.send('next')
    })
  })
  const socket = await open()
  const answers = nextTexts(socket, texts.length)
  for (const [, text] of texts) socket.send(text)
  await answers
  // Looked at once all have come: what a listener keeps stays as it was.
  for (const [index, [name, , expected]] of texts.entries()) assert.equal(String(heard[index]), expected, name)
})

test('typed handlers that took the place of listeners after a message was judged get its value', () => {
  const socket = {} as WebSocket
  const listeners = new Listeners(socket, false)
  assert.equal(listeners.takesBytes, true)
  const text = '{"type":"chat","text":"a"}'
  const subject = Object.assign(Subject.lent(Buffer.from(text), 0, text.length, true), { exact: true })
  const values: unknown[] = []
  takeOver(socket, ({ value }) => values.push(value))
  assert.equal(listeners.takesBytes, false)
  listeners.message(subject, {} as LiveConnection)
  subject.keep()
  listeners.message(subject, {} as LiveConnection)
  assert.deepEqual(values, [JSON.parse(text), JSON.parse(text)])
})
