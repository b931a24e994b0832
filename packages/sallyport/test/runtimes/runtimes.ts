import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Something that runs JavaScript, and serves. */
export interface Runtime {
  readonly name: string
  /** The program. */
  readonly command: string
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** Versions of Node beside that which runs the tests: those of package.json here, which `scripts/setup.mjs` installs. */
export const OTHER_NODES: readonly Runtime[] = Object.entries(
  (JSON.parse(readFileSync(path('package.json'), 'utf8')) as { devDependencies: Record<string, string> })
    .devDependencies,
).map(([folder, alias]) => ({
  name: `Node ${alias.replace('npm:node@', '')}`,
  command: path(`node_modules/${folder}/bin/node`),
}))

/** All that `serve()` is tested on. */
export const RUNTIMES: readonly Runtime[] = [
  { name: `Node ${process.versions.node}`, command: process.execPath },
  ...OTHER_NODES,
  { name: 'Bun', command: path('../../../../node_modules/.bin/bun') },
]

/** Runs a test file, named from the folder of the tests, on another Node: fails unless each of its tests ran and passed. */
export async function runWhole(t: TestContext, { command }: Runtime, file: string): Promise<void> {
  const args = ['--conditions=sallyport-source', '--test-reporter=tap', path(`../${file}`)]
  // Else it would answer to the runner of this test, and not to us.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env, signal: t.signal })
  const [told, complaints, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  const report = told.slice(told.search(/^ *not ok/m)).slice(0, 4000)
  assert.equal(code, 0, `${report}\n${complaints}`)
  const counted = Object.fromEntries([...told.matchAll(/^# (\w+) (\d+)$/gm)].map(([, name, count]) => [name, +count!]))
  assert.ok(counted['pass']! > 0 && counted['pass'] === counted['tests'], told.slice(-300))
}
