import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTls } from 'node:https'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificate } from './certificate.ts'
import { listen, type Listening } from './listen.ts'
import { VICTIM_HOST } from './names.ts'
import { read } from './victim.ts'
import type { Witness } from './witness.ts'

/** Something that arrived at the attacker's server. */
export interface Loot {
  /** The origin of the page that sent it; `null` from a sandboxed frame, empty from a raw client. */
  readonly origin: string
  readonly body: string
}

/** The attacker's running server: the witness of what got out. */
export interface Attacker {
  readonly loot: readonly Loot[]
  /** What the exploit said at its end; empty until then. */
  readonly finished: readonly string[]
  /** The page at one of the attacker's origins, with its port. */
  address(origin: string): string
  steal(body: string): void
  close(): Promise<void>
}

export interface AttackerParts {
  /** The flaw's folder. */
  readonly folder: string
  readonly victimPort: number
  readonly witness: Witness
  /** Serves the page at the victim's port of this address, until it is loaded: the name leads to the victim ever after. */
  readonly rebindsAt: string | null
  /** What the attacker's server does by itself for its page: `exploit-server.ts`; null where there is none. */
  readonly serve: ((body: string) => Promise<string>) | null
}

const KIT = readFileSync(join(import.meta.dirname, 'attacker-kit.js'), 'utf8')
const MOST_LOOT = 1000

/** Serves `exploit.html` under every name, over HTTPS and HTTP, and takes what it steals at `POST /loot`. */
export async function startAttacker(parts: AttackerParts): Promise<Attacker> {
  const { folder, victimPort, witness } = parts
  const loot: Loot[] = []
  const finished: string[] = []
  const ports = { https: 0, http: 0 }
  let rebinding: Listening | undefined

  /** The exploit names no ports: they differ with every run. */
  const withPorts = (text: string): string =>
    text.replaceAll(/\b(https?|wss?):\/\/([a-z\d.-]*localhost)(?![\w.:-])/g, (_whole, scheme: string, host: string) => {
      if (host === VICTIM_HOST && scheme !== 'http') return `${scheme}://${host}:${victimPort}`
      return `${scheme}://${host}:${scheme === 'https' || scheme === 'wss' ? ports.https : ports.http}`
    })
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '').split('?', 1)[0]!
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Cache-Control', 'no-store')
    if (request.method === 'POST') {
      void read(request).then(body => {
        if (path === '/loot' && loot.length < MOST_LOOT) {
          loot.push({ origin: request.headers.origin ?? '', body })
        }
        if (path === '/finished') finished.push(body)
        witness.note()
        if (path !== '/server' || parts.serve === null) return void response.writeHead(204).end()
        // It fails where it was refused, or where the run is over.
        return parts.serve(body).then(
          text => void response.end(text),
          () => void response.writeHead(502).end(),
        )
      })
      return
    }
    if (path === '/kit.js') {
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(withPorts(KIT))
      return
    }
    const name = path === '/' ? 'exploit.html' : path.slice(1)
    const file = join(folder, name)
    if (!/^exploit[\w.-]*\.html$/.test(name) || !existsSync(file)) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(withPorts(readFileSync(file, 'utf8')))
  }

  const tls = await certificate()
  const servers = [await listen(createTls(tls, answer)), await listen(createPlain(answer))] as const
  ports.https = servers[0].port
  ports.http = servers[1].port
  if (parts.rebindsAt !== null) {
    const server = createPlain((request, response) => {
      response.setHeader('Connection', 'close')
      // The kit is the last that the page loads: from now on the name leads to the victim.
      if (request.url === '/kit.js') server.close()
      answer(request, response)
    })
    rebinding = await listen(server, victimPort, parts.rebindsAt)
  }
  return {
    loot,
    finished,
    address(origin) {
      if (parts.rebindsAt !== null) return `${origin}:${victimPort}/`
      return `${origin}:${origin.startsWith('https:') ? ports.https : ports.http}/`
    },
    steal(body) {
      loot.push({ origin: '', body })
      witness.note()
    },
    async close() {
      await Promise.all([...servers, ...(rebinding ? [rebinding] : [])].map(server => server.close()))
    },
  }
}
