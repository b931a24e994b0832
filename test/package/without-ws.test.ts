// Who uses `serve()`, or embeds a guard, has neither `ws` nor `@types/ws`: the declarations that are published hold up alone.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'sallyport-without-ws-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const USES = `
import { createGuard, type Guard, type MessagesOf } from 'sallyport'
import { createAdapter } from 'sallyport/adapter'
import { serve } from 'sallyport/server'
import { createMemoryStore } from 'sallyport/store/memory'

const guard = createGuard({
  handshake: { origin: { allow: ['https://app.example'] }, session: () => ({ id: 's1', user: 'ann' }) },
  message: { schema: { chat: { type: 'object', properties: { type: { const: 'chat' } } } } },
  store: createMemoryStore(),
})
export const app = serve({ guard, port: 0, handlers: { chat: (_message, connection) => void connection.send('hi') } })
export const adapter = createAdapter(guard)
export type Said = MessagesOf<typeof guard>
export const any: Guard = guard as unknown as Guard
`

function tsc(...given: readonly string[]): string {
  const { stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/tsc'), given, { cwd: folder, encoding: 'utf8' })
  return stdout + stderr
}

/** Links a package of the workspace: its own imports are found where it stands. */
function link(name: string): void {
  const path = join(folder, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), path)
}

test('without @types/ws, every declaration checked: createGuard, serve and createAdapter type-check', () => {
  const own = join(folder, 'node_modules/sallyport')
  mkdirSync(own, { recursive: true })
  copyFileSync(join(root, 'packages/sallyport/package.json'), join(own, 'package.json'))
  const source = join(root, 'packages/sallyport/tsconfig.json')
  const build = ['--emitDeclarationOnly', '--outDir', join(own, 'dist'), '--tsBuildInfoFile', join(folder, 'build')]
  assert.equal(tsc('-p', source, ...build), '')
  for (const name of ['@types/node', '@standard-schema/spec']) link(name)
  writeFileSync(join(folder, 'package.json'), '{"name":"consumer","private":true,"type":"module"}')
  writeFileSync(join(folder, 'uses.ts'), USES)
  const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024,dom']
  const check = [...strict, '--skipLibCheck', 'false', '--types', 'node']
  assert.equal(tsc(...check, 'uses.ts'), '')
  writeFileSync(join(folder, 'finds.ts'), "import type { WebSocket } from 'ws'\nexport type Socket = WebSocket\n")
  assert.match(tsc(...check, 'finds.ts'), /Cannot find module 'ws'/)
})
