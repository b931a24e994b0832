import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start, type Started } from '../../demo/started.ts'

export const ADMIN_TOKEN = 'Zk3v9Qm1pR7tX5yB2nL8cW4dF6gH0jSa'

/** One line of the gateway's log. */
export interface LogLine {
  readonly level: string
  readonly kind?: string
  readonly msg: string
  readonly control?: string
  readonly code?: string
  readonly reason?: string
  readonly listener?: string
  readonly ip?: string
  readonly host?: string
  readonly at?: string
  readonly remedy?: string
  readonly ports?: { readonly [listener: string]: number }
  readonly admin?: number | null
}

/** A gateway that runs as a process, of a file that the test writes. */
export interface GatewayProcess extends Started {
  readonly folder: string
  readonly file: string
  /** Port of the listener `public`. */
  readonly port: number
  write(text: string): void
  admin(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    token?: string,
  ): Promise<{ status: number; text: string; json: any }>
  /** The first line, from now on or before, that is meant. */
  heard(is: (line: LogLine) => boolean): Promise<LogLine>
}

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')

/** Runs the command line itself. */
export function cli(args: readonly string[]): readonly [command: string, args: readonly string[]] {
  return [process.execPath, ['--conditions=sallyport-source', MAIN, ...args]]
}

/** Starts `sallyport-gateway run` and waits until it serves. */
export async function startGateway(
  text: string,
  env: { readonly [name: string]: string } = {},
): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-gateway-'))
  const file = join(folder, 'gateway.yaml')
  writeFileSync(file, text)
  const [command, args] = cli(['run', '--config', file])
  const started = await start(command, args, env, line => line.includes('"kind":"startup"'))
  const lines = (): LogLine[] =>
    started.lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as LogLine)
  const { ports, admin: adminPort } = lines().at(-1)!
  return {
    ...started,
    process: started.process,
    folder,
    file,
    port: ports!['public']!,
    write: next => writeFileSync(file, next),
    async admin(method, path, body, token = ADMIN_TOKEN) {
      const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const answer = await response.text()
      return { status: response.status, text: answer, json: answer.startsWith('{') ? JSON.parse(answer) : null }
    },
    heard(is) {
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`not heard:\n${started.lines.slice(-20).join('\n')}`)), 60_000)
        const look = (): void => {
          const found = lines().find(is)
          if (found === undefined) return
          clearTimeout(late)
          started.process.stdout?.off('data', later)
          resolve(found)
        }
        // The lines are split by another listener of the same chunk.
        const later = (): void => void setImmediate(look)
        started.process.stdout?.on('data', later)
        look()
      })
    },
    async end() {
      await started.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
