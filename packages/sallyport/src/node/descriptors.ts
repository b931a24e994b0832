import { readFileSync } from 'node:fs'

/** Descriptors reserved for files, the log, stores and the sockets that an app opens itself. */
const RESERVED = 64

/**
 * The greatest number of open files of this process, as Linux reports it. Node has raised it to the hard limit.
 * `Infinity` if it is unknown or not bounded.
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

/** The number of connections that a process has room for, if each takes `each` file descriptors. */
export function roomFor(each: number, most: number = mostDescriptors()): number {
  return Math.max(0, Math.floor((most - RESERVED) / each))
}

/** One server's share of the descriptors of its process. */
export interface DescriptorShare {
  /** Connections for which descriptors are left. Below 0 if there are too many. */
  free(): number
  /** The server is closed. Gives up the share. */
  leave(): void
}

interface Holder {
  readonly each: number
  readonly count: () => number
}

const holders = new Set<Holder>()

/**
 * Takes a share of the descriptors of the process. All servers that call this share them.
 *
 * @param each descriptors of one connection: two if it is relayed
 * @param count present number of connections
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
