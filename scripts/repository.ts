// The one place that names the project's repository. `node scripts/repository.ts` shows each package.json that says otherwise
// and exits with 1; `--write` corrects them.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where the project is published. */
export const REPOSITORY: string = 'https://github.com/sallyport/sallyport'

/** The fields of a package.json that follow from {@link REPOSITORY}; `folder` is relative to the root, `.` for the root. */
export function linksOf(folder: string): {
  readonly homepage: string
  readonly bugs: string
  readonly repository: { readonly type: 'git'; readonly url: string; readonly directory?: string }
} {
  const place = folder === '.' ? {} : { directory: folder }
  return {
    homepage: `${REPOSITORY}#readme`,
    bugs: `${REPOSITORY}/issues`,
    repository: { type: 'git', url: `git+${REPOSITORY}.git`, ...place },
  }
}

/** Every package.json of the repository, relative to its root. */
export function manifestsOf(root: string): readonly string[] {
  return globSync('**/package.json', { cwd: root, exclude: ['**/node_modules', '**/dist', '**/.*'] }).toSorted()
}

/** The manifests whose links differ from {@link linksOf}. */
export function wrongLinks(root: string): readonly string[] {
  return manifestsOf(root).filter(path => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, unknown>
    return Object.entries(linksOf(dirname(path))).some(
      ([key, value]) => JSON.stringify(manifest[key]) !== JSON.stringify(value),
    )
  })
}

/** Writes the links into one manifest, after its description. */
function correct(file: string, folder: string): void {
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  const links = linksOf(folder)
  const rest = Object.entries(manifest).filter(([key]) => !(key in links))
  const after = rest.findIndex(([key]) => key === 'description') + 1
  rest.splice(after, 0, ...Object.entries(links))
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(rest), null, 2)}\n`)
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  const wrong = wrongLinks(root)
  const isWriting = process.argv.includes('--write')
  for (const path of wrong) {
    if (isWriting) correct(join(root, path), dirname(path))
    process.stdout.write(`${isWriting ? 'wrote' : 'differs from scripts/repository.ts'}: ${path}\n`)
  }
  if (wrong.length > 0 && !isWriting) {
    process.stdout.write('run `node scripts/repository.ts --write`, then `npm run format`, and commit\n')
    process.exitCode = 1
  }
}
