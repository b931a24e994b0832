import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A process of the demo. */
export interface Started {
  readonly process: ChildProcess
  /** Lines of its output so far. */
  readonly lines: readonly string[]
  end(): Promise<void>
}

const PATIENCE_MS = 20_000

/** Starts a process and waits for the first line that `isReady`. Rejects, with what it said, where it ends before. */
export function start(
  command: string,
  args: readonly string[],
  env: { readonly [name: string]: string },
  isReady: (line: string) => boolean,
): Promise<Started> {
  // A pipe on standard input: what the demo starts ends with the demo.
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  const lines: string[] = []
  const end = (): Promise<void> =>
    new Promise(resolve => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      const late = setTimeout(() => child.kill('SIGKILL'), 8000)
      child.once('exit', () => {
        clearTimeout(late)
        resolve()
      })
      child.stdin?.end()
      child.kill('SIGTERM')
    })
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${command} did not start in time:\n${lines.join('\n')}`))
    }, PATIENCE_MS)
    const hear = (line: string): void => {
      lines.push(line)
      if (!isReady(line)) return
      clearTimeout(late)
      resolve({ process: child, lines, end })
    }
    createInterface({ input: child.stdout }).on('line', hear)
    createInterface({ input: child.stderr }).on('line', hear)
    child.once('error', reject)
    child.once('exit', code => {
      clearTimeout(late)
      reject(new Error(`${command} ended with ${code}:\n${lines.join('\n')}`))
    })
  })
}
