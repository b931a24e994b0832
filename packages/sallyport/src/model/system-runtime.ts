import { randomBytes, randomFillSync } from 'node:crypto'
import type { Runtime } from './runtime.ts'

/**
 * The runtime of this process: Node's own. Ways in and constructors that are public take it where they were given none;
 * what lies below them takes a {@link Runtime}. The globals are read at each call, because a test may replace them.
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
