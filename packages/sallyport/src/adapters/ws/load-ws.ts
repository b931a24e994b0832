import { createRequire } from 'node:module'
import type * as Ws from 'ws'

/** Loads the optional peer `ws` when a way in needs it, so that importing the library never does. */
export function loadWs(): typeof Ws {
  try {
    return createRequire(import.meta.url)('ws') as typeof Ws
  } catch (cause) {
    throw new Error('sallyport needs the package `ws` for this: npm install ws', { cause })
  }
}
