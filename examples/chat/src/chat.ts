import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SallyEvent } from 'sallyport'
import { ATTACKER_HOSTS, startAttacker } from './attacker.ts'
import type { Attacker } from './attacker.ts'
import { developmentCertificate } from './certificate.ts'
import { openChatStore } from './chat-store.ts'
import type { ChatStore } from './chat-store.ts'
import { ensureDemoContent } from './demo-content.ts'
import type { Door, DoorParts, Notice } from './door.ts'
import { startGuarded } from './guarded.ts'
import { createHub } from './hub.ts'
import type { Options } from './options.ts'
import { loadPage } from './page-assets.ts'
import { claimPort } from './port.ts'
import { readOrMakeSecret, sessionMiddleware } from './session-store.ts'
import { createSite } from './site.ts'
import { startUnguarded } from './unguarded.ts'

/** Who hears what happens. */
export interface Listeners {
  readonly event: (event: SallyEvent) => void
  readonly notice: (notice: Notice) => void
}

/** The chat and the attacker's server, both running. */
export interface RunningChat {
  /** Origin of the chat: `https://app.localhost:8443`. */
  readonly origin: string
  /** Origins of the attacker's pages, the sibling subdomain first. */
  readonly attackers: readonly string[]
  readonly attacker: Attacker
  readonly store: ChatStore
  /** Drains, stops and closes the database. */
  close(): Promise<void>
}

/** Starts all of it. Throws PortBusyError, or whatever kept the data folder from being used. */
export async function startChat(options: Options, listeners: Listeners): Promise<RunningChat> {
  const port = await claimPort(options.port, 'port')
  const attackerPort = await claimPort(options.attackerPort, 'attacker-port')
  const { origin, host } = new URL(`https://app.localhost:${port}`)
  const attackers = ATTACKER_HOSTS.map(name => new URL(`https://${name}:${attackerPort}`).origin)

  mkdirSync(options.data, { recursive: true })
  const certificate = await developmentCertificate(join(options.data, 'certificate.json'))
  const store = openChatStore(join(options.data, 'chat.sqlite'))
  try {
    await ensureDemoContent(store, Date.now())
    const sessions = sessionMiddleware(store.database, readOrMakeSecret(options.data), options.sameSite)
    let door: Door | null = null
    const hub = createHub(store, user => door?.endUser(user))
    const site = createSite({
      store,
      sessions,
      page: await loadPage(),
      origin,
      guarded: !options.unguarded,
      attackers,
      signedOut: id => door?.signedOut(id),
    })
    const parts: DoorParts = { port, origin, certificate, site, sessions, store, hub, ...listeners }
    door = await (options.unguarded ? startUnguarded(parts) : startGuarded(parts))
    const opened = door
    const attacker = await startAttacker({
      port: attackerPort,
      certificate,
      victim: `wss://${host}/ws`,
      stole: loot =>
        listeners.notice({
          from: 'attacker',
          origin: `https://${loot.host}`,
          text: `STOLEN ${loot.body.length} bytes`,
        }),
    }).catch(async error => {
      await opened.close()
      throw error
    })
    return {
      origin,
      attackers,
      attacker,
      store,
      async close() {
        await Promise.all([opened.close(), attacker.close()])
        store.close()
      },
    }
  } catch (error) {
    store.close()
    throw error
  }
}
