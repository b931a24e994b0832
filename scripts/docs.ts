// `npm run docs` writes the generated pages and wraps all others; with `--check` it writes nothing and exits 1 where one differs.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { handWritten } from './docs/hand-written.ts'
import { pages } from './docs/pages.ts'

const root = new URL('..', import.meta.url)
const check = process.argv.includes('--check')
const drifted = [...pages(), ...handWritten()].filter(({ path, content }) => {
  const file = fileURLToPath(new URL(path, root))
  if (existsSync(file) && readFileSync(file, 'utf8') === content) return false
  if (!check) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  return true
})
for (const { path } of drifted) process.stdout.write(`${check ? 'differs' : 'wrote'}: ${path}\n`)
if (check && drifted.length > 0) {
  process.stdout.write('run `npm run docs` and commit what it writes\n')
  process.exitCode = 1
}
