// `npm test`: every test of the workspace; `npm test -- packages/sallyport/test/message` runs a part.
import { spawnSync } from 'node:child_process'
import { globSync, statSync } from 'node:fs'

const given = process.argv.slice(2)
const flags = given.filter(argument => argument.startsWith('-'))
const paths = given.filter(argument => !argument.startsWith('-'))
const globs = paths.length > 0 ? paths : ['packages/*/test', 'examples/*/test', 'lab/test', 'test']
/** Not read into: the other versions of Node, which some of the tests run on, have thousands of files. */
const isForeign = path => path.includes('node_modules')
const files = globs
  .flatMap(pattern => globSync(pattern))
  .flatMap(path => (statSync(path).isDirectory() ? globSync(`${path}/**/*.test.ts`, { exclude: isForeign }) : [path]))
if (files.length === 0) {
  process.stderr.write(`no test matches ${globs.join(' ')}\n`)
  process.exit(1)
}
const { status } = spawnSync(
  process.execPath,
  [
    '--conditions=sallyport-source',
    '--test',
    '--test-concurrency=2',
    '--test-timeout=120000',
    ...flags,
    ...files.toSorted(),
  ],
  { stdio: 'inherit' },
)
process.exit(status ?? 1)
