import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const REMEDY =
  "take it as a parameter: `runtime: Runtime` of the library's model/runtime.ts, or `now` alone; a way in gives systemRuntime"

/** Files that may ask the process itself for time, timers and randomness, and why. A folder ends in `/`. */
const ALLOWED: Readonly<Record<string, string>> = {
  'packages/sallyport/src/model/runtime.ts': 'the type: it names the functions',
  'packages/sallyport/src/model/system-runtime.ts': 'the one real instance',
  'packages/sallyport/src/client/': 'a way in of its own, in the browser',
  'packages/sallyport/src/server/': 'a way in: real sockets',
  'packages/sallyport/src/node/': 'real sockets and the kernel: a simulation has its own transport',
  'packages/sallyport/src/wire/mask.ts': 'masks need bytes that nobody can guess; they decide nothing',
  'packages/gateway/src/cli/': 'a way in: the command line',
}

/** Files that still ask the process itself, although they lie below the ways in. None may come to this list. */
const LEFT: readonly string[] = [
  'packages/gateway/src/fleet/fleet.ts',
  'packages/gateway/src/fleet/worker.ts',
  'packages/gateway/src/http/exchange.ts',
  'packages/gateway/src/http/identity.ts',
  'packages/gateway/src/listener/proxied.ts',
  'packages/gateway/src/route/pair.ts',
  'packages/gateway/src/runtime/running.ts',
  'packages/gateway/src/runtime/shared-parts.ts',
  'packages/gateway/src/runtime/shared-store.ts',
  'packages/gateway/src/session/forward-auth.ts',
]

/** A global that is called or handed on, not a method of the same name. */
const GLOBALS =
  /(?<![.\w#])(?:Date\.now|new Date\(\)|performance\.now|Math\.random|(?:set|clear)(?:Timeout|Interval|Immediate)\b(?=[(,)])|AbortSignal\.timeout|crypto\.\w+\()/g
/** A clock, a timer or random bytes from a module of Node. */
const IMPORTS =
  /import \{[^}]*\b(?:random(?:Bytes|Fill|FillSync|Int|UUID)|getRandomValues|webcrypto|performance)\b[^}]*\} from 'node:[\w/]+'|from 'node:timers[\w/]*'/g
/** Comments and one-line texts: they are not code. */
const PROSE = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'/g

function usesOf(source: string): readonly string[] {
  const code = source.replace(PROSE, text => (text.startsWith("'") ? "''" : ''))
  return [...code.matchAll(GLOBALS), ...source.matchAll(IMPORTS)].map(([use]) => use)
}

const isAllowed = (file: string): boolean =>
  Object.keys(ALLOWED).some(place => (place.endsWith('/') ? file.startsWith(place) : file === place))

const users = new Map(
  globSync('packages/{sallyport,gateway}/src/**/*.ts', { cwd: ROOT })
    .map(file => [file, usesOf(readFileSync(join(ROOT, file), 'utf8'))] as const)
    .filter(([, uses]) => uses.length > 0),
)

test('no module below the ways in asks the process itself for time, timers or randomness', () => {
  const wrong = [...users].filter(([file]) => !isAllowed(file) && !LEFT.includes(file))
  assert.deepEqual(
    wrong.map(([file, uses]) => `${file}: ${uses.join(', ')}; ${REMEDY}`),
    [],
  )
})

test('each exception is still needed: a file that asks no more leaves the list', () => {
  const files = [...users.keys()]
  const idle = [
    ...Object.keys(ALLOWED).filter(place => !files.some(file => file.startsWith(place))),
    ...LEFT.filter(file => !users.has(file)),
  ]
  assert.deepEqual(idle, [])
})

for (const [name, source, uses] of [
  ['a call', 'const at = Date.now()', ['Date.now']],
  [
    'a function that is handed on',
    'const { now = Date.now, random = Math.random } = options',
    ['Date.now', 'Math.random'],
  ],
  ['a timer', 'timer = setTimeout(end, 10)', ['setTimeout']],
  ['random bytes of Node', "import { randomBytes } from 'node:crypto'", ["import { randomBytes } from 'node:crypto'"]],
  ['timers of Node', "import { setTimeout } from 'node:timers/promises'", ["from 'node:timers/promises'"]],
  ['a parameter', 'timer = runtime.setTimeout(end, 10) + services.now()', []],
  ['a comment and a text', "/* Date.now() */ const remedy = '() => Date.now()' // setTimeout(x)", []],
] as readonly (readonly [string, string, readonly string[]])[]) {
  test(`${name} is ${uses.length === 0 ? 'no use' : 'found'}`, () => assert.deepEqual(usesOf(source), uses))
}
