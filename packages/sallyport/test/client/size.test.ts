import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

describe('the bundle of sallyport/client', () => {
  it('is at most 3 kB, minified and gzipped, and holds nothing but src/client', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      // A Node module would fail here.
      platform: 'browser',
      write: false,
      metafile: true,
    })
    const bytes = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
    assert.ok(bytes > 500 && bytes <= 3000, `${bytes} bytes`)
    for (const input of Object.keys(metafile.inputs)) assert.match(input, /src\/client\/[\w-]+\.ts$/)
  })
})
