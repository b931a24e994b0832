import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { SameSite } from './session-store.ts'

/** What the command line decides. */
export interface Options {
  /** Port of the chat; 0 takes a free one. */
  readonly port: number
  /** Port of the attacker's pages; 0 takes a free one. */
  readonly attackerPort: number
  readonly unguarded: boolean
  readonly sameSite: SameSite
  /** Folder of the database, the session secret and the certificate. */
  readonly data: string
  readonly json: boolean
}

/** A command line, understood or not. `problem` is a sentence with its remedy. */
export type Parsed =
  | { readonly kind: 'options'; readonly options: Options }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly problem: string }

const SAME_SITE: readonly SameSite[] = ['none', 'lax', 'strict', 'unset']

export const HELP = `Sallyport chat: a guarded chat, and the attacker who wants in.

Usage
  npm start                          guarded: the attacker's pages are refused
  npm start -- --unguarded           the same app with no guard: the attack is seen to succeed

Options
  --port <n>                         port of the chat (default 8443; 0 takes a free one)
  --attacker-port <n>                port of the attacker's pages (default 9443; 0 takes a free one)
  --unguarded                        cookie session alone: no Origin check, no ticket, no validation
  --same-site <none|lax|strict|unset>  SameSite of the session cookie (default lax)
  --data <folder>                    database, secret and certificate (default examples/chat/.data)
  --json                             events as JSON lines on standard output
  --help                             this text

Ctrl-C drains the connections and ends. Colours obey NO_COLOR.
`

const mistake = (problem: string): Parsed => ({ kind: 'mistake', problem })

/** Reads the arguments after `node main.ts`. */
export function parseOptions(args: readonly string[]): Parsed {
  let values
  try {
    ;({ values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '8443' },
        'attacker-port': { type: 'string', default: '9443' },
        unguarded: { type: 'boolean', default: false },
        'same-site': { type: 'string', default: 'lax' },
        data: { type: 'string', default: join(import.meta.dirname, '..', '.data') },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    }))
  } catch (error) {
    return mistake((error as Error).message)
  }
  if (values.help) return { kind: 'help' }
  const port = toPort(values.port)
  if (port === null) return mistake(`--port ${values.port} is not a port. Write a whole number from 0 to 65535.`)
  const attackerPort = toPort(values['attacker-port'])
  if (attackerPort === null) {
    return mistake(`--attacker-port ${values['attacker-port']} is not a port. Write a whole number from 0 to 65535.`)
  }
  if (port !== 0 && port === attackerPort) {
    return mistake(`--port and --attacker-port are both ${port}. The attacker's pages need a port of their own.`)
  }
  const sameSite = SAME_SITE.find(value => value === values['same-site'])
  if (sameSite === undefined) {
    return mistake(`--same-site ${values['same-site']} is not known. Write none, lax, strict or unset.`)
  }
  if (values.data === '') return mistake('--data is empty. Name a folder, or leave it out.')
  const { unguarded, data, json } = values
  return { kind: 'options', options: { port, attackerPort, unguarded, sameSite, data, json } }
}

function toPort(text: string): number | null {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : null
}
