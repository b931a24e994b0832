import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Attack, Flaw, Start } from '../ground/description.ts'
import { LAB } from '../ground/world.ts'

/** A flaw and what its folder holds. */
export interface LoadedFlaw {
  readonly name: string
  readonly flaw: Flaw
  readonly vulnerable: Start
  readonly guarded: Start
  /** Of a flaw that needs no browser. */
  readonly attack: Attack | null
}

/** Names of all flaws, sorted: the folders that hold a `flaw.ts`. */
export function flawNames(): readonly string[] {
  return readdirSync(LAB, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && existsSync(join(LAB, entry.name, 'flaw.ts')))
    .map(({ name }) => name)
    .toSorted()
}

/** Loads one. Throws for a folder that is not complete. */
export async function loadFlaw(name: string): Promise<LoadedFlaw> {
  const load = async (file: string): Promise<Record<string, unknown>> =>
    (await import(pathToFileURL(join(LAB, name, file)).href)) as Record<string, unknown>
  const { flaw } = (await load('flaw.ts')) as { flaw: Flaw }
  const { start: vulnerable } = (await load('app.ts')) as { start: Start }
  const { start: guarded } = (await load('guarded.ts')) as { start: Start }
  const attack = flaw.kind === 'client' ? ((await load('exploit.ts')) as { attack: Attack }).attack : null
  for (const [file, found] of Object.entries({ flaw, 'app.ts start': vulnerable, 'guarded.ts start': guarded })) {
    if (found === undefined) throw new Error(`lab/${name}: ${file} is not exported`)
  }
  if (flaw.kind === 'browser' && !existsSync(join(LAB, name, 'exploit.html'))) {
    throw new Error(`lab/${name}: exploit.html is missing`)
  }
  return { name, flaw, vulnerable, guarded, attack }
}
