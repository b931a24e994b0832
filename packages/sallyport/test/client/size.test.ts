import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { brotliCompressSync, constants } from 'node:zlib'
import { build } from 'esbuild'

describe('the bundles of the page', () => {
  for (const [name, entry, most] of [
    ['sallyport/client', 'index.ts', 4300],
    ['sallyport/client/ticket', 'ticket.ts', 1300],
  ] as const)
    it(`${name} is at most ${most} bytes, minified and compressed by brotli, and holds nothing but src/client`, async () => {
      const { outputFiles, metafile } = await build({
        entryPoints: [fileURLToPath(new URL(`../../src/client/${entry}`, import.meta.url))],
        bundle: true,
        minify: true,
        format: 'esm',
        target: 'es2022',
        // A Node module would fail here.
        platform: 'browser',
        write: false,
        metafile: true,
      })
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11 }
      const bytes = brotliCompressSync(outputFiles[0]?.contents ?? '', { params }).length
      assert.ok(bytes > 500 && bytes <= most, `${bytes} bytes`)
      for (const input of Object.keys(metafile.inputs)) assert.match(input, /src\/client\/[\w-]+\.ts$/)
    })
})
