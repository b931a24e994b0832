// The package shows the project's README and licence; its links point into the repository's documents.
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
for (const file of ['README.md', 'LICENSE']) copyFileSync(join(root, file), join(root, 'packages/sallyport', file))
