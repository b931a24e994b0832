import { randomBytes, randomFillSync } from 'node:crypto'
import type { Runtime } from './runtime.ts'

/**
 * The runtime of this process, which is Node's own. Public constructors and ways in use it by default. The modules
 * below them always receive a {@link Runtime}. The globals are read at each call, because a test may replace them.
 */
export const systemRuntime: Runtime = Object.freeze<Runtime>({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (run, ms, ...args) => setTimeout(run, ms, ...args),
  clearTimeout: timer => clearTimeout(timer as NodeJS.Timeout | undefined),
  setInterval: (run, ms) => setInterval(run, ms),
  clearInterval: timer => clearInterval(timer as NodeJS.Timeout | undefined),
  setImmediate: (run, ...args) => void setImmediate(run, ...args),
  random: () => Math.random(),
  randomBytes: size => randomBytes(size),
  randomFill: (bytes, start, size) => void randomFillSync(bytes, start, size),
})
