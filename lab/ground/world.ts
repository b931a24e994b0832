import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Attacker, startAttacker } from './attacker.ts'
import type { Flaw, Serve } from './description.ts'
import type { Ground, SameSite } from './ground.ts'
import { LOOPBACK } from './listen.ts'
import { targetOf } from './target.ts'
import { startVictim, type Victim } from './victim.ts'
import { createWitness, type Witness } from './witness.ts'

/** One victim and one attacker, on ports of their own, for one cell of the table. */
export interface World {
  readonly flaw: Flaw
  readonly ground: Ground
  readonly victim: Victim
  readonly attacker: Attacker
  readonly witness: Witness
  /** The attacker's server holds the victim's secret, or the victim's state was changed. */
  hijacked(): boolean
  /** Called when the run is over, for what a client left open. */
  onClose(end: () => void): void
  close(): Promise<void>
}

export interface WorldParts {
  readonly flaw: Flaw
  readonly name: string
  /** Overrules the app's SameSite. */
  readonly sameSite?: SameSite
  /** The address that the browser tries first for a `.localhost` name; a rebinding attacker takes it. */
  readonly firstAddress?: '127.0.0.1' | '::1'
}

export const LAB = join(import.meta.dirname, '..')

/** The attacker's half that runs on its server, of a flaw that has one. */
async function loadServer(name: string): Promise<Serve | null> {
  const file = join(LAB, name, 'exploit-server.ts')
  return existsSync(file) ? ((await import(pathToFileURL(file).href)) as { serve: Serve }).serve : null
}

export async function createWorld({ flaw, name, sameSite, firstAddress = '::1' }: WorldParts): Promise<World> {
  const witness = createWitness()
  const serve = await loadServer(name)
  const over = new AbortController()
  const ends: (() => void)[] = []
  const rebinds = flaw.kind === 'browser' && flaw.rebinds === true
  const victim = await startVictim({
    flaw,
    witness,
    address: rebinds && firstAddress === LOOPBACK ? '::1' : LOOPBACK,
    ...(sameSite && { sameSite }),
  })
  const { ground } = victim
  const attacker = await startAttacker({
    folder: join(LAB, name),
    victimPort: victim.port,
    witness,
    rebindsAt: rebinds ? firstAddress : null,
    serve: serve && (body => serve(targetOf(world, over.signal), body)),
  }).catch(async (error: unknown) => {
    await victim.close()
    throw error
  })
  const world: World = {
    flaw,
    ground,
    victim,
    attacker,
    witness,
    hijacked: () => attacker.loot.some(({ body }) => body.includes(ground.secret)) || flaw.harmed?.(world) === true,
    onClose: end => void ends.push(end),
    async close() {
      over.abort()
      for (const end of ends) end()
      await Promise.all([victim.close(), attacker.close()])
    },
  }
  return world
}
