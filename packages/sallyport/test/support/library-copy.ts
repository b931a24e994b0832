import { registerHooks } from 'node:module'
import type * as Index from '../../src/index.ts'
import type * as Server from '../../src/server/serve.ts'

const SOURCE = new URL('../../src/', import.meta.url).href

/** What of the library a test of several copies uses. */
export interface LibraryCopy {
  readonly index: typeof Index
  readonly server: typeof Server
}

// A module of a copy is imported by modules of the same copy alone, as in a bundle.
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    const copy = context.parentURL?.startsWith(SOURCE) ? new URL(context.parentURL).search : ''
    return copy === '' || !resolved.url.startsWith(SOURCE) ? resolved : { ...resolved, url: `${resolved.url}${copy}` }
  },
})

/** A copy of the whole library in this process, as a bundler makes one. */
export async function libraryCopy(name: string): Promise<LibraryCopy> {
  const [index, server] = await Promise.all([
    import(`${SOURCE}index.ts?copy=${name}`) as Promise<LibraryCopy['index']>,
    import(`${SOURCE}server/serve.ts?copy=${name}`) as Promise<LibraryCopy['server']>,
  ])
  return { index, server }
}
