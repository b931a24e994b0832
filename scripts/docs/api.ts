import { readFileSync } from 'node:fs'
import { type ApiName, exportsOf } from './api-names.ts'

/** One export path of a package, and its names in alphabetical order. */
export interface ApiPath {
  /** What is written after `from`: `sallyport/server`. */
  readonly path: string
  readonly names: readonly ApiName[]
}

/** No promise is made about these paths, so their names are not listed. */
export const NOT_PUBLIC: readonly string[] = ['sallyport/internal']

const ROOT = new URL('../..', import.meta.url)
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'))

interface Manifest {
  readonly name: string
  readonly exports: { readonly [path: string]: string | { readonly 'sallyport-source': string } }
}

/** All public paths of both packages. */
export function apiPaths(): readonly ApiPath[] {
  return ['packages/sallyport', 'packages/gateway'].flatMap(folder => {
    const { name, exports } = read(`${folder}/package.json`) as Manifest
    return Object.entries(exports).flatMap(([key, target]): ApiPath[] => {
      const path = name + key.slice(1)
      if (typeof target === 'string' || NOT_PUBLIC.includes(path)) return []
      const file = `${folder}/${target['sallyport-source'].slice(2)}`
      const names = [...exportsOf(file).values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return [{ path, names }]
    })
  })
}

/** The version that added a name: `{ "sallyport/server": { "0.2.0": ["serve"] } }`. */
type Since = { readonly [path: string]: { readonly [version: string]: readonly string[] } }

/** The version of each name, from the table that is written by hand. */
export function sinceOf(path: string, name: string): string | undefined {
  const versions = (read('scripts/docs/api-since.json') as Since)[path] ?? {}
  return Object.keys(versions).find(version => versions[version]!.includes(name))
}

/** Everything that is wrong with the public names: each line says what to write. */
export function apiProblems(): readonly string[] {
  const problems: string[] = []
  for (const { path, names } of apiPaths())
    for (const { name, doc, file } of names) {
      if (doc === '')
        problems.push(`${file}: ${name} of ${path} has no docstring; write its purpose, units, errors and source`)
      if (sinceOf(path, name) === undefined)
        problems.push(`scripts/docs/api-since.json: add "${name}" to "${path}" under the version that comes next`)
    }
  for (const [path, versions] of Object.entries(read('scripts/docs/api-since.json') as Since)) {
    const public_ =
      apiPaths()
        .find(entry => entry.path === path)
        ?.names.map(({ name }) => name) ?? []
    for (const name of Object.values(versions).flat())
      if (!public_.includes(name))
        problems.push(`scripts/docs/api-since.json: ${path} exports no ${name}; remove it, and say so in CHANGELOG.md`)
  }
  return problems
}

/** The first sentence of a docstring, on one line. */
export function firstSentence(doc: string): string {
  const text = doc
    .replace(/^@[^]*$/m, '')
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return /^.*?\.(?=\s+[A-Z`{]|$)/.exec(text)?.[0] ?? text
}
