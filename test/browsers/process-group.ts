import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const groups = new Set<number>()
const folders = new Set<string>()
let watching = false

/** A folder of its own for one profile; gone with the process at the latest. */
export function temporaryFolder(): string {
  watch()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-run-'))
  folders.add(folder)
  return folder
}

export function removeFolder(folder: string): void {
  folders.delete(folder)
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  } catch {
    // A process that is just ending wrote once more: the folder is in the system's temporary one.
  }
}

/** The process leads a group that must not outlive this process. */
export function keepGroup(leader: number | undefined): number {
  if (leader === undefined) throw new Error('the browser did not start: no process id')
  watch()
  groups.add(leader)
  return leader
}

/** Longest wait for killed processes to be gone, in ms. */
const GONE_MS = 3000
const LOOK_AGAIN_MS = 10

/** Ends the group, whatever is left of it, and returns once nothing of it runs: it could still write into its profile. */
export function endGroup(leader: number): void {
  groups.delete(leader)
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It is gone already, which is what was wanted.
    return
  }
  const latest = Date.now() + GONE_MS
  // Also called while the process exits, when nothing asynchronous happens any longer.
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (runs(leader) && Date.now() < latest) Atomics.wait(pause, 0, 0, LOOK_AGAIN_MS)
}

/** Whether a process of the group runs; one that ended and waits to be reaped does not. */
function runs(leader: number): boolean {
  return readdirSync('/proc').some(entry => {
    if (!/^\d+$/.test(entry)) return false
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(group) === leader && state !== 'Z' && state !== 'X'
    } catch {
      return false
    }
  })
}

/** Leaders of the groups that run now. */
export function runningGroups(): readonly number[] {
  return [...groups]
}

function watch(): void {
  if (watching) return
  watching = true
  process.once('exit', () => {
    for (const leader of groups) endGroup(leader)
    for (const folder of folders) removeFolder(folder)
  })
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code))
  }
}
