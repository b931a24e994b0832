import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/** One file of the page, held in memory. */
export interface Asset {
  readonly type: string
  readonly body: Buffer
  readonly etag: string
}

const PAGE = join(import.meta.dirname, '..', 'page')

/** The page's files by path. The script is bundled here, at start, from TypeScript: nothing is fetched, nothing is built before. */
export async function loadPage(): Promise<ReadonlyMap<string, Asset>> {
  const bundle = await build({
    entryPoints: [join(PAGE, 'main.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['sallyport-source'],
    logLevel: 'silent',
  })
  const file = (name: string): Buffer => readFileSync(join(PAGE, name))
  return new Map([
    ['/', asset('text/html; charset=utf-8', file('index.html'))],
    ['/chat.css', asset('text/css; charset=utf-8', file('chat.css'))],
    ['/icon.svg', asset('image/svg+xml', file('icon.svg'))],
    ['/chat.js', asset('text/javascript; charset=utf-8', Buffer.from(bundle.outputFiles[0]!.contents))],
  ])
}

function asset(type: string, body: Buffer): Asset {
  return { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}
