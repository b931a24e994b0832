import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import type { RunningChat } from '../src/chat.ts'
import { DEMO_ACCOUNTS } from '../src/demo-content.ts'
import { LOOPBACK } from '../src/port.ts'
import { signIn } from './https-client.ts'
import { startTestChat } from './running-chat.ts'

async function open(chat: RunningChat, name: string, password: string): Promise<WebSocket> {
  const { port, host } = new URL(chat.origin)
  const socket = new WebSocket(`wss://${LOOPBACK}:${port}/ws`, {
    headers: { host, cookie: (await signIn(chat, name, password)) ?? '' },
    origin: 'https://evil.localhost',
    rejectUnauthorized: false,
  })
  await once(socket, 'message')
  return socket
}

test('unguarded: it ends while people are connected and while peers have not begun their TLS handshake', async () => {
  const running = await startTestChat({ unguarded: true })
  const ended: Promise<unknown[]>[] = []
  try {
    const { chat } = running
    for (const { name, password } of DEMO_ACCOUNTS.slice(0, 2)) {
      ended.push(once(await open(chat, name, password), 'close'))
    }
    for (const origin of [chat.origin, chat.attackers[0]!]) {
      const silent = connect(Number(new URL(origin).port), LOOPBACK).on('error', () => {})
      ended.push(once(silent.resume(), 'close'))
      await once(silent, 'connect')
    }
  } finally {
    await running.end()
  }
  const codes = (await Promise.all(ended)).map(([code]) => code)
  assert.deepEqual(codes.slice(0, 2), [1012, 1012])
})
