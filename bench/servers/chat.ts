/** The message that every server of the benchmark reads: the seed's `chat`, its text long enough for 16 KiB. */
export interface Chat {
  readonly type: 'chat'
  readonly message: string
  readonly roomId: string
}

export const MAX_TEXT = 20_000
export const ORIGIN = 'http://app.localhost'
export const SESSION_COOKIE = 'sid'

/** What a handler sends back: made anew from what was checked, as an app would. */
export function reply({ message, roomId }: Chat): Chat {
  return { type: 'chat', message, roomId }
}

/** The value of a cookie, the way a hand-written server finds it. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  return header
    ?.split(';')
    .map(part => part.trim())
    .find(part => part.startsWith(`${name}=`))
    ?.slice(name.length + 1)
}

/**
 * What V8 does when memory runs out: the pages that garbage left behind go back to the system too. Else they stay, tens of
 * megabytes of them, and tell how fast connections came, not what they hold.
 */
const ALL_GARBAGE = { type: 'major', execution: 'sync', flavor: 'last-resort' }
/** Longer than any benchmark takes. */
const LONGEST_MS = 3_600_000
declare const Bun: undefined | { gc(force: boolean): void }

/** Tells the parent where to connect; answers each line of its input with the memory in use, garbage collected; ends with it. */
export function ready(port: number, pid: number = process.pid): void {
  process.stdout.write(`${JSON.stringify({ port, pid })}\n`)
  process.on('SIGTERM', () => process.exit(0))
  // Bun does not tell of the end of its input in every case: a server whose parent is gone, or that is forgotten, ends too.
  const parent = process.ppid
  const until = Date.now() + LONGEST_MS
  setInterval(() => {
    if (process.ppid !== parent || Date.now() > until) process.exit(0)
  }, 1000)
  process.stdin.on('end', () => process.exit(0))
  process.stdin.on('data', () => {
    for (let round = 0; round < 3; round++) {
      if (typeof Bun === 'undefined') (globalThis as { gc?: (how: object) => void }).gc?.(ALL_GARBAGE)
      else Bun.gc(true)
    }
    process.stdout.write(`${JSON.stringify({ rss: process.memoryUsage.rss() })}\n`)
  })
}
