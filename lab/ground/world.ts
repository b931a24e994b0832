import { join } from 'node:path'
import { type Attacker, startAttacker } from './attacker.ts'
import type { Flaw, SameSite } from './description.ts'
import type { Ground } from './ground.ts'
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
  close(): Promise<void>
}

export interface WorldParts {
  readonly flaw: Flaw
  readonly name: string
  /** Overrules the app's SameSite. */
  readonly sameSite?: SameSite
}

export const LAB = join(import.meta.dirname, '..')

export async function createWorld({ flaw, name, sameSite }: WorldParts): Promise<World> {
  const witness = createWitness()
  const victim = await startVictim({ flaw, witness, ...(sameSite && { sameSite }) })
  const { ground } = victim
  const attacker = await startAttacker({
    folder: join(LAB, name),
    victimPort: victim.port,
    witness,
    rebinds: flaw.kind === 'browser' && flaw.rebinds === true,
    plain: flaw.plain === true,
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
    async close() {
      await Promise.all([victim.close(), attacker.close()])
    },
  }
  return world
}
