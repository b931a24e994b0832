// Runs in a package's folder before it is packed: gives it a README and the licence, and takes out of dist what has no
// source any more, which `tsc -b` leaves there.
import { copyFileSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = process.cwd()
// Where each README is in the repository; in the package its links are those of the repository's root.
const from = basename(folder) === 'gateway' ? 'docs/gateway/' : ''
const readme = readFileSync(join(root, from, 'README.md'), 'utf8')
writeFileSync(
  join(folder, 'README.md'),
  readme.replaceAll(/\]\((?![a-z]+:|#)([^)]+)\)/g, (_, link) => `](${join(from, link)})`),
)
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))

for (const file of globSync('dist/**/*.*', { cwd: folder })) {
  const [, name] = /^dist\/(.+?)(?:\.d\.ts|\.js)$/.exec(file.replaceAll('\\', '/')) ?? []
  if (name === undefined || !existsSync(join(folder, 'src', `${name}.ts`))) rmSync(join(folder, file))
}
