// `npm run check`: what CI runs beside the tests. Seconds, not minutes; the first failure of each kind is printed whole.
import { spawnSync } from 'node:child_process'

const steps = [
  ['types', 'tsc', ['-b']],
  ['types of tests', 'tsc', ['-p', 'packages/sallyport/tsconfig.test.json']],
  ['types of the chat', 'tsc', ['-p', 'examples/chat/tsconfig.json', '--noEmit']],
  ['types of ways in', 'tsc', ['-p', 'examples/ways-in/tsconfig.json', '--noEmit']],
  ['types of the gateway', 'tsc', ['-p', 'packages/gateway/tsconfig.test.json']],
  ['types of the lab', 'tsc', ['-p', 'lab/tsconfig.json', '--noEmit']],
  ['types of tools', 'tsc', ['-p', 'tsconfig.tools.json']],
  ['docs', 'node', ['--conditions=sallyport-source', 'scripts/docs.ts', '--check']],
  ['words', 'node', ['scripts/words.ts']],
  ['repository links', 'node', ['scripts/repository.ts']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'biome', ['format', '.']],
  ['dead code', 'knip', []],
  ['package shape', 'publint', ['packages/sallyport', '--strict']],
  ['gateway shape', 'publint', ['packages/gateway', '--strict']],
  ['package types', 'attw', ['--pack', 'packages/sallyport', '--profile', 'esm-only']],
]
let failed = 0
for (const [name, command, args] of steps) {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`${status === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(18)} ${seconds.padStart(6)} s\n`)
  if (status !== 0) {
    failed++
    process.stdout.write(`${stdout ?? ''}${stderr ?? ''}\n`)
  }
}
process.exit(failed === 0 ? 0 : 1)
