import { readFileSync } from 'node:fs'

/** Left for files, the log, stores and what an app opens itself. */
const RESERVED = 64

/**
 * Reads how many files the system lets this process have open, as Linux tells it; Node has raised it to the hard limit.
 * `Infinity` where it is not told, or not bounded.
 *
 * @param text for tests: `/proc/self/limits`
 */
export function mostDescriptors(text: string = readLimits()): number {
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1]
  return soft === undefined || !/^\d+$/.test(soft) ? Infinity : Number(soft)
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1')
  } catch {
    return ''
  }
}

/** How many connections a process has room for, where each takes `each` file descriptors. */
export function roomFor(each: number, most: number = mostDescriptors()): number {
  return Math.max(0, Math.floor((most - RESERVED) / each))
}

/** One server's part of the descriptors of its process. */
export interface DescriptorShare {
  /** Connections that there are descriptors left for; below 0 where there are too many. */
  free(): number
  /** The server is closed. */
  leave(): void
}

interface Holder {
  readonly each: number
  readonly count: () => number
}

const holders = new Set<Holder>()

/**
 * Takes part in the descriptors of the process. All servers that do share them.
 *
 * @param each descriptors that a connection takes: two where it is relayed
 * @param count connections now
 */
export function shareDescriptors(each: number, count: () => number, most: number = mostDescriptors()): DescriptorShare {
  const holder: Holder = { each, count }
  holders.add(holder)
  return {
    free() {
      if (most === Infinity) return Infinity
      let used = RESERVED
      for (const one of holders) used += one.each * one.count()
      return Math.floor((most - used) / each)
    },
    leave: () => void holders.delete(holder),
  }
}
