import type { Runtime } from '../../src/model/runtime.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

/** This process's own timers and randomness under another clock. */
export const runtimeAt = (now: () => number): Runtime => ({ ...systemRuntime, now, monotonic: now })
