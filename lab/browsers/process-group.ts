import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const groups = new Set<number>()
const folders = new Set<string>()
let watching = false

/** A folder of its own for one profile; gone with the process at the latest. */
export function temporaryFolder(): string {
  watch()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-lab-'))
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

/** Ends the group at once, whatever is left of it. */
export function endGroup(leader: number): void {
  groups.delete(leader)
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It is gone already, which is what was wanted.
  }
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
