import { readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import type { KernelQueue } from '../model/kernel-queue.ts'

interface Watched {
  readonly inode: string
  bytes: number | null
  taken: number
  changes: number
  askedAt: number
}

interface HandleSocket {
  readonly _handle?: { readonly fd?: unknown } | null
}

/**
 * Linux shows both tables in each network namespace:
 * https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
 */
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6']
/** Columns of a row, from 0. */
const QUEUES = 4
const INODE = 9
/**
 * Time between two readings, in ms. It is longer if a reading is slow, because the table has a row for each socket of
 * the machine.
 */
const PAUSE_MS = 250
const LONGEST_PAUSE_MS = 4000
const PAUSE_FACTOR = 20
/** A queue that no code asks for is not watched any more after this time, in ms. */
const UNASKED_MS = 60_000

/** The watched sockets by inode. */
const watched = new Map<string, Watched>()
const known = new WeakMap<Socket, Watched>()
/** The timer of the next reading. Null while none is planned. */
let timer: NodeJS.Timeout | null = null
let looking = false
let lookedAt = -Infinity
/** Delay of the first reading of a socket, in ms. It is longer if a reading is slow. */
let soonestMs = PAUSE_MS
/** Longest delay of a first reading, in ms: the peer is judged after a second. */
const LATEST_FIRST_MS = 800

/**
 * The queue of a socket in the kernel. The first call starts periodic readings. Null if the system does not report it.
 * Node itself shows only the bytes that the kernel has not taken. That number can stay the same for a minute while a
 * slow peer reads, because Linux takes more only when a third of its own buffer, of up to 4 MiB, is free.
 */
export function kernelQueueOf(socket: Socket): KernelQueue | null {
  let queue = known.get(socket)
  if (queue === undefined) {
    const inode = inodeOf(socket as unknown as HandleSocket)
    if (inode === null) return null
    known.set(socket, (queue = { inode, bytes: null, taken: 0, changes: 0, askedAt: 0 }))
  }
  queue.askedAt = Date.now()
  watched.set(queue.inode, queue)
  if (timer === null || (queue.bytes === null && performance.now() - lookedAt > soonestMs)) void look()
  return queue
}

function inodeOf({ _handle: handle }: HandleSocket): string | null {
  const fd = handle?.fd
  if (process.platform !== 'linux' || typeof fd !== 'number' || fd < 0) return null
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? null
  } catch {
    return null
  }
}

async function look(): Promise<void> {
  if (looking) return
  looking = true
  if (timer !== null) clearTimeout(timer)
  lookedAt = performance.now()
  const tables = await Promise.all(TABLES.map(table => readFile(table, 'latin1').catch(() => '')))
  for (const table of tables) note(table)
  const tookMs = performance.now() - lookedAt
  looking = false
  timer = null
  const bound = Date.now() - UNASKED_MS
  for (const [inode, { askedAt }] of watched) if (askedAt < bound) watched.delete(inode)
  if (watched.size === 0) return
  const pause = Math.min(LONGEST_PAUSE_MS, Math.max(PAUSE_MS, PAUSE_FACTOR * tookMs))
  soonestMs = Math.min(pause, LATEST_FIRST_MS)
  timer = setTimeout(() => void look(), pause).unref()
}

/**
 * Records what a table says about the watched sockets. The table has a row for each socket of the machine, so other
 * rows are skipped without creating any object.
 */
function note(table: string): void {
  // The first line contains the names of the columns.
  let end = table.indexOf('\n')
  while (end !== -1) {
    const start = end + 1
    end = table.indexOf('\n', start)
    const inodeAt = columnAt(table, start, INODE)
    const queue = inodeAt === -1 ? undefined : watched.get(table.slice(inodeAt, table.indexOf(' ', inodeAt)))
    if (queue === undefined) continue
    const queuesAt = columnAt(table, start, QUEUES)
    const bytes = Number.parseInt(table.slice(queuesAt, queuesAt + 8), 16)
    if (!Number.isFinite(bytes)) continue
    if (queue.bytes !== null && bytes !== queue.bytes) {
      queue.changes++
      queue.taken += Math.max(0, queue.bytes - bytes)
    }
    queue.bytes = bytes
  }
}

const BLANK = 32
const LINE_END = 10

/** Where a column of the row at `start` begins. -1 if the row has fewer columns. */
function columnAt(table: string, start: number, column: number): number {
  let wasBlank = true
  let passed = 0
  for (let at = start; at < table.length; at++) {
    const sign = table.charCodeAt(at)
    if (sign === LINE_END) return -1
    const isBlank = sign === BLANK
    if (wasBlank && !isBlank && passed++ === column) return at
    wasBlank = isBlank
  }
  return -1
}
