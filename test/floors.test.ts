// Imports lead down only, type imports counted, and nowhere in a circle. A fault names the arrow and says what to do.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { circlesOf, foldersOf, importsOf, type ImportGraph, readImports } from '../scripts/imports.ts'
import { KNOWN } from './floors-known.ts'

/** Folders and files of a package, lowest floor first. Those on one floor do not know each other. */
type Floors = readonly (readonly string[])[]

const LIBRARY: Floors = [
  ['wire', 'model'],
  ['shape', 'client'],
  ['request'],
  ['store'],
  ['event'],
  ['session'],
  ['ticket'],
  ['schema'],
  ['fast-path'],
  ['controls'],
  ['policy'],
  ['connection'],
  ['guard'],
  ['node'],
  ['adapters'],
  ['server'],
  ['create-guard.ts'],
  ['index.ts'],
  ['embed.ts'],
  ['internal.ts'],
  ['cli'],
]
const GATEWAY: Floors = [
  ['model', 'assets'],
  ['session', 'upstream'],
  ['config', 'http'],
  ['listener', 'route'],
  ['runtime'],
  ['admin'],
  ['fleet'],
  ['cli', 'index.ts'],
]
/** Each flaw is a folder of its own: no flaw knows another, nor what runs them. */
const LAB: Floors = [['browsers'], ['ground'], ['*'], ['run'], ['test']]

function floorOf(floors: Floors, path: string): { readonly floor: number; readonly name: string } {
  const names = floors.flatMap((row, floor) => row.map(name => ({ floor, name })))
  const found = names.find(({ name }) => path === name || path.startsWith(`${name}/`))
  const other = names.find(({ name }) => name === '*')
  return found ?? { floor: other?.floor ?? -1, name: path.split('/')[0]! }
}

/** What is wrong with a graph of imports. `outside`: what may be imported from beyond the package. */
function faultsOf(graph: ImportGraph, floors: Floors, outside: readonly string[] = []): readonly string[] {
  const faults: string[] = []
  for (const [file, imported] of graph) {
    const own = floorOf(floors, file)
    if (own.floor === -1) faults.push(`${file}: no floor has ${own.name}; write it into the floors of this test`)
    for (const path of imported) {
      const arrow = `${file} → ${path}`
      const other = floorOf(floors, path)
      if (path.startsWith('../')) {
        if (!outside.some(folder => path.startsWith(folder)))
          faults.push(`${arrow}: it leads out of the package; import a public name of the other package`)
      } else if (own.name !== other.name && other.floor >= own.floor)
        faults.push(
          `${arrow}: ${own.name} is floor ${own.floor}, ${other.name} floor ${other.floor}; move what both need to model/`,
        )
    }
  }
  for (const circle of circlesOf(graph)) faults.push(`circle of files: ${circle.join(' → ')}`)
  for (const circle of circlesOf(foldersOf(graph))) faults.push(`circle of folders: ${circle.join(' → ')}`)
  return faults
}

test('floors of the gateway: no arrow up, no circle, nothing but public names of the library', () => {
  assert.deepEqual(faultsOf(readImports('packages/gateway/src'), GATEWAY), [])
})

test('floors of the lab: no arrow up, no circle; no flaw knows another', () => {
  assert.deepEqual(faultsOf(readImports('lab'), LAB, ['../test/browsers/']), [])
})

test('floors of the library: exactly the faults that are still known; one that is mended leaves the list', () => {
  const faults = faultsOf(readImports('packages/sallyport/src'), LIBRARY)
  // An arrow is listed without the reason, which its floors give.
  assert.deepEqual(
    faults.map(fault => fault.replace(/(?<=\.ts): .*/, '')).toSorted(),
    KNOWN.toSorted(),
    faults.join('\n'),
  )
})

describe('a wrong import is found, and named', () => {
  const real = readImports('packages/gateway/src')
  const wrong = (file: string, text: string): readonly string[] =>
    faultsOf(new Map([...real, [file, new Set([...(real.get(file) ?? []), ...importsOf(file, text)])]]), GATEWAY)
  const rows: readonly (readonly [name: string, file: string, text: string, faults: readonly RegExp[]])[] = [
    [
      'a type of a higher floor',
      'config/weakness.ts',
      "import type { Route } from '../route/route.ts'",
      [/^config\/weakness\.ts → route\/route\.ts: config is floor 2, route floor 3; move what both need to model\/$/],
    ],
    ['a neighbour', 'session/new.ts', "export * from '../upstream/pool.ts'", [/session is floor 1, upstream floor 1;/]],
    ['an import in a type', 'model/new.ts', "type T = import('../cli/run.ts').T", [/model is floor 0, cli floor 7/]],
    ['the inside of the library', 'cli/new.ts', "import '../../../sallyport/src/guard/core.ts'", [/leads out of the/]],
    ['a folder without a floor', 'common/new.ts', '', [/^common\/new\.ts: no floor has common/]],
    [
      'two files that need each other',
      'upstream/backend.ts',
      "import { createPool } from './pool.ts'",
      [/^circle of files: upstream\/(?:backend|pool)\.ts → upstream\/(?:backend|pool)\.ts → upstream/],
    ],
    [
      'an arrow that closes a circle of folders',
      'upstream/backend.ts',
      "await import('../http/exchange.ts')",
      [
        /upstream is floor 1, http floor 2/,
        /^circle of files: /,
        /^circle of folders: (?:http|upstream) → (?:http|upstream) → /,
      ],
    ],
  ]
  for (const [name, file, text, expected] of rows) {
    test(name, () => {
      const faults = wrong(file, text)
      for (const fault of expected)
        assert.ok(
          faults.some(one => fault.test(one)),
          `${fault} in\n${faults.join('\n')}`,
        )
    })
  }
})
