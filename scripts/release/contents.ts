import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { git } from '../passed.ts'

/** The files of each tarball that the compiler does not write. The rest is two files in `dist` for each committed source. */
export const FIXED: Readonly<Record<string, readonly string[]>> = {
  'packages/sallyport': ['LICENSE', 'README.md', 'package.json'],
  'packages/gateway': ['LICENSE', 'README.md', 'package.json', 'schema/gateway.schema.json'],
}

/** What a tarball must hold: {@link FIXED}, and `dist/x.js` and `dist/x.d.ts` for each committed `src/x.ts` that is no test. */
export function expectedOf(folder: string, sources: readonly string[]): readonly string[] {
  const compiled = sources
    .filter(path => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map(path => path.replace(/^src\//, 'dist/').replace(/\.ts$/, ''))
    .flatMap(path => [`${path}.js`, `${path}.d.ts`])
  return [...(FIXED[folder] ?? []), ...compiled].toSorted()
}

/** What is wrong with the files of a tarball: missing, or not expected. */
export function differences(found: readonly string[], expected: readonly string[]): readonly string[] {
  return [
    ...expected.filter(path => !found.includes(path)).map(path => `misses ${path}`),
    ...found.filter(path => !expected.includes(path)).map(path => `has ${path}, which is not on the list`),
  ]
}

/** The source maps that a file of a tarball names and that are not in it. */
export function lostMaps(path: string, text: string, found: readonly string[]): readonly string[] {
  return [...text.matchAll(/^\/\/# sourceMappingURL=(?!data:)(\S+)/gm)]
    .map(([, map = '']) => map)
    .filter(map => !found.includes(join(dirname(path), map)))
    .map(map => `${path} names the source map ${map}, which is not in the tarball`)
}

/** Packs a package as npm would publish it, and returns what is wrong with the tarball. */
export function problemsOfTarball(root: string, folder: string): readonly string[] {
  const place = mkdtempSync(join(tmpdir(), 'sallyport-pack-'))
  try {
    const packed = spawnSync('npm', ['pack', '--json', '--pack-destination', place], {
      cwd: join(root, folder),
      encoding: 'utf8',
    })
    if (packed.status !== 0) return [`${folder}: npm pack failed: ${packed.stderr.trim()}`]
    const answer = JSON.parse(packed.stdout) as Record<string, { filename: string; files: { path: string }[] }>
    const [tarball] = Object.values(answer)
    if (tarball === undefined) return [`${folder}: npm pack made no tarball`]
    const unpacked = spawnSync('tar', ['-xzf', join(place, tarball.filename), '-C', place], { encoding: 'utf8' })
    if (unpacked.status !== 0) return [`${folder}: tar failed: ${unpacked.stderr.trim()}`]
    const found = tarball.files.map(({ path }) => path)
    const sources = (git(join(root, folder), 'ls-files', 'src') ?? '').split('\n')
    const texts = found.filter(path => /\.(?:js|ts)$/.test(path) && existsSync(join(place, 'package', path)))
    return [
      ...differences(found, expectedOf(folder, sources)),
      ...texts.flatMap(path => lostMaps(path, readFileSync(join(place, 'package', path), 'utf8'), found)),
    ].map(problem => `${folder}: the tarball ${problem}`)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
