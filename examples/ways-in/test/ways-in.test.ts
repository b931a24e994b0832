// Each way in, as its example has it: an honest page gets in and is answered, a foreign page is refused.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'

const folder = join(import.meta.dirname, '..')
const bun = join(folder, '../../node_modules/.bin/bun')
const cookie = 'sid=a-session-id'
const FOREIGN = 'https://evil.example'

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, 'localhost')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

/** Starts an example on a free port; resolves once it says that it listens. */
async function start(file: string, runtime: string): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const port = await freePort()
  const child = spawn(runtime, ['--conditions=sallyport-source', join(folder, file)], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('guarded: ')) break
  assert.equal(child.exitCode, null, `${file} ended before it listened`)
  return { child, port }
}

async function ticketOf(origin: string, path: string): Promise<string> {
  const answer = await fetch(`${origin}/.sallyport/ticket?path=${path}`, {
    method: 'POST',
    headers: { origin, cookie },
  })
  assert.equal(answer.status, 200)
  return ((await answer.json()) as { ticket: string }).ticket
}

/** The status of a handshake at `url`; 101 if it opens. */
async function statusOf(url: string, protocols: readonly string[], headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(url, [...protocols], { headers })
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('unexpected-response', (sent, response) => {
      resolve(response.statusCode ?? 0)
      sent.destroy()
    })
    socket.on('open', () => {
      resolve(101)
      socket.terminate()
    })
  })
}

/** The honest page over a WebSocket: what comes back for a message. */
async function sayOverWebSocket(port: number): Promise<unknown> {
  const origin = `http://localhost:${port}`
  const protocols = ['sallyport.v1', `sallyport.ticket.${await ticketOf(origin, '/ws')}`]
  const page = new WebSocket(`ws://localhost:${port}/ws`, protocols, { headers: { origin, cookie } })
  await once(page, 'open')
  page.send('{"type":"chat","message":"hello","admin":true}')
  const [data] = await once(page, 'message')
  page.terminate()
  return JSON.parse(String(data))
}

/** The honest page over one transport of Socket.IO. */
async function sayOverSocketIo(port: number, transport: 'websocket' | 'polling'): Promise<unknown> {
  const origin = `http://localhost:${port}`
  const page = io(origin, {
    transports: [transport],
    reconnection: false,
    query: { ticket: await ticketOf(origin, '/socket.io/') },
    extraHeaders: { origin, cookie },
  })
  try {
    return await new Promise((resolve, reject) => {
      page.on('connect_error', reject)
      page.on('connect', () => page.emit('chat', { message: 'hello', admin: true }))
      page.on('chat', resolve)
    })
  } finally {
    page.disconnect()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.kill()) await once(child, 'exit')
}

const overWebSocket = ['serve.ts', 'ws.ts', 'upgrade.ts', 'express.ts', 'fastify.ts']
for (const [file, runtime] of [
  ...overWebSocket.map(file => [file, process.execPath] as const),
  ['serve.ts', bun] as const,
]) {
  test(`${file}${runtime === bun ? ' on Bun' : ''}: its page is answered, a foreign page is refused`, async () => {
    const { child, port } = await start(file, runtime)
    try {
      const url = `ws://localhost:${port}/ws`
      assert.deepEqual(await sayOverWebSocket(port), { type: 'chat', message: 'hello' })
      assert.equal(await statusOf(url, [], { origin: FOREIGN, cookie }), 403)
      // A foreign page that got hold of a ticket is refused all the same, and so is a client without an Origin.
      const stolen = ['sallyport.v1', `sallyport.ticket.${await ticketOf(`http://localhost:${port}`, '/ws')}`]
      assert.equal(await statusOf(url, stolen, { origin: FOREIGN, cookie }), 403)
      assert.equal(await statusOf(url, stolen, { cookie }), 403)
      assert.equal(await statusOf(url, stolen, { origin: `http://localhost:${port}.evil.example`, cookie }), 403)
    } finally {
      await stop(child)
    }
  })
}

test('socket-io.ts: its page is answered over both transports, a foreign page is refused on both', async () => {
  const { child, port } = await start('socket-io.ts', process.execPath)
  try {
    const origin = `http://localhost:${port}`
    for (const transport of ['websocket', 'polling'] as const)
      assert.deepEqual(await sayOverSocketIo(port, transport), { message: 'hello' })
    const ticket = await ticketOf(origin, '/socket.io/')
    const path = `/socket.io/?EIO=4&ticket=${ticket}&transport=`
    assert.equal(await statusOf(`ws://localhost:${port}${path}websocket`, [], { origin: FOREIGN, cookie }), 403)
    const polled = request({
      port,
      host: 'localhost',
      path: `${path}polling`,
      headers: { origin: FOREIGN, cookie },
    }).end()
    const [response] = (await once(polled, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    assert.equal(response.statusCode, 403)
  } finally {
    await stop(child)
  }
})

test('each example is tested here, linked from the list, and stays within 30 lines', () => {
  const files = globSync('*.ts', { cwd: folder }).toSorted()
  assert.deepEqual(files, [...overWebSocket, 'socket-io.ts'].toSorted())
  const list = readFileSync(join(folder, 'README.md'), 'utf8')
  for (const file of files) {
    assert.ok(list.includes(`](${file})`), `README.md links to ${file}`)
    const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n').length
    assert.ok(lines <= 30, `${file} has ${lines} lines`)
  }
})
