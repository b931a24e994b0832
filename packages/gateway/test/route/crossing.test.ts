import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { configOf, createWorld, ORIGIN, route } from '../support/gateway-world.ts'

const PEERS = 12
const ROUNDS = 3
const MESSAGES = 150
/** Short ones, long ones, one that the memory which all share does not hold. */
const SIZES = [5, 100, 130, 400, 5, 50, 2000, 300, 5, 60_000]

const folder = mkdtempSync(join(tmpdir(), 'sallyport-crossing-'))
after(() => rmSync(folder, { recursive: true }))
const tls = { cert: join(folder, 'cert'), key: join(folder, 'key') }
writeFileSync(tls.cert, CERTIFICATE)
writeFileSync(tls.key, KEY)

const chat = (who: string, nth: number, size: number): string =>
  JSON.stringify({ type: 'chat', message: `${who}|${'x'.repeat(size)}`, n: nth })

/** Says what is wrong with what came to `who`: another's, or out of order. */
function judge(who: string, faults: string[]): (data: unknown) => void {
  let last = -1
  return data => {
    const { message, n } = JSON.parse(String(data)) as { message?: string; n: number }
    const of = message?.split('|', 1)[0]
    if (of !== who || n <= last) faults.push(`${who} got ${n} of ${of} after ${last}`)
    last = n
  }
}

/** What goes to clients, plain or over TLS, and what goes to backends passes through one piece of memory. */
test('clients, plain and over TLS, and their backends speak at once, and leave in the middle: nothing reaches another', {
  timeout: 60_000,
}, async t => {
  const faults: string[] = []
  const backend = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(backend, 'listening')
  const others = new Map<string, () => void>()
  let reached = 0
  const serve = (socket: WebSocket, who: string): void => {
    const take = judge(who, faults)
    let nth = 0
    const say = (): void => socket.send(chat(who, nth++, SIZES[nth % SIZES.length]!))
    others.set(who, say)
    socket.on('error', () => undefined)
    socket.on('close', () => others.delete(who))
    socket.on('message', data => {
      take(data)
      reached++
      say()
      // Somebody else's turn brings one to each.
      if (reached % 50 === 0) for (const one of others.values()) one()
      if (reached % 400 === 0) socket.terminate()
    })
  }
  backend.on('connection', (socket, { headers }) => serve(socket, String(headers['x-sallyport-session'])))
  const plain = { name: 'main', address: { host: '127.0.0.1', port: 0 }, tls: null, proxyProtocol: null }
  const listeners = [plain, { ...plain, name: 'tls', tls }]
  const world = await createWorld(
    configOf([`ws://127.0.0.1:${(backend.address() as AddressInfo).port}`], [route()], {}, { listeners }),
  )
  t.after(async () => {
    await world.close()
    await new Promise(resolve => backend.close(resolve))
  })

  let heard = 0
  const visit = async (who: string, over: string): Promise<void> => {
    const take = judge(who, faults)
    const client = new WebSocket(`${over === 'tls' ? 'wss' : 'ws'}://127.0.0.1:${world.gateway.ports.get(over)}/ws`, {
      origin: ORIGIN,
      headers: { Cookie: `sid=${who}` },
      rejectUnauthorized: false,
      perMessageDeflate: false,
    })
    client.on('error', () => undefined)
    client.on('message', (data: Buffer) => {
      take(data)
      heard++
    })
    await once(client, 'open')
    const left = new Promise(resolve => client.once('close', resolve))
    for (let nth = 0; nth < MESSAGES && client.readyState === client.OPEN; nth++) {
      client.send(chat(who, nth, SIZES[nth % SIZES.length]!))
      if (nth % 20 === 0) await new Promise(setImmediate)
    }
    if (who.endsWith('1')) client.terminate()
    else client.close()
    await left
  }
  await Promise.all(
    Array.from({ length: PEERS }, async (_, nth) => {
      for (let round = 0; round < ROUNDS; round++) await visit(`${nth}.${round}`, nth % 2 === 0 ? 'main' : 'tls')
    }),
  )
  assert.deepEqual(faults, [])
  assert.ok(reached > 1000 && heard > 1000, `${reached} reached a backend, ${heard} a client`)
})
