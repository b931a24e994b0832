import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import express from 'express'
import type { Certificate } from './certificate.ts'
import { createLootBag } from './loot.ts'
import type { Loot, LootBag } from './loot.ts'
import { listen, stopper } from './port.ts'

/** Hosts of the attacker's pages: another site, and a sibling subdomain of the chat (same site, other origin). */
export const ATTACKER_HOSTS: readonly string[] = ['evil.app.localhost', 'evil.localhost']

export interface AttackerParts {
  readonly port: number
  readonly certificate: Certificate
  /** The victim's WebSocket: `wss://app.localhost:8443/ws`. */
  readonly victim: string
  /** Called with each thing stolen. */
  readonly stole: (loot: Loot) => void
}

/** The attacker's running server: the witness of what got out. */
export interface Attacker {
  readonly loot: LootBag
  close(): Promise<void>
}

const FOLDER = join(import.meta.dirname, '..', 'attacker', 'page')
const file = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
const STOLEN_BYTES = '64kb'

/** Serves the attacker's page at every host, and takes what it steals at `POST /steal`. `GET /loot` tells what was taken. */
export async function startAttacker({ port, certificate, victim, stole }: AttackerParts): Promise<Attacker> {
  const loot = createLootBag()
  const files = new Map([
    ['/', { type: 'html', body: file('index.html') }],
    ['/attacker.css', { type: 'css', body: file('attacker.css') }],
    ['/attack.js', { type: 'js', body: file('attack.js').replace('wss://vulnerable-app.com/api/ws', victim) }],
    ['/verdict.js', { type: 'js', body: file('verdict.js') }],
  ])
  const app = express()
  app.disable('x-powered-by')
  for (const [path, { type, body }] of files) {
    app.get(path, (_request, response) => void response.type(type).set('Cache-Control', 'no-store').send(body))
  }
  app.post('/steal', express.text({ type: () => true, limit: STOLEN_BYTES }), (request, response) => {
    const { visit } = request.query
    const item = {
      visit: typeof visit === 'string' ? visit : null,
      host: request.hostname,
      at: Date.now(),
      body: typeof request.body === 'string' ? request.body : '',
    }
    loot.add(item)
    stole(item)
    response.status(204).end()
  })
  app.get('/loot', (request, response) => {
    const { visit } = request.query
    response.json(loot.of(typeof visit === 'string' ? visit : null))
  })
  const server = createServer(certificate, app)
  const close = stopper(server)
  await listen(server, port, 'attacker-port')
  return { loot, close }
}
