import { randomBytes } from 'node:crypto'
import type { Logger, SallyEvent, Store } from 'sallyport'
import { kindOf, requireOptions } from 'sallyport/internal'

/** What all guards of a gateway share, so that a reload, or another worker, changes nothing of it. */
export interface SharedParts {
  readonly store: Store
  /** Signs the tickets of routes that name no secret. */
  readonly ticketSecret: string
  /** Key of the hashes that stand for session and user in events. */
  readonly hashKey: string
  /** Gets the events of a route. */
  readonly logOf: (route: string) => Logger
  /** Hears of each denial in report mode. */
  readonly reported: (route: string, event: SallyEvent) => void
}

const SECRET = 'give the output of `openssl rand -base64 32`, from the environment'
/** Of each part, what it must be and what to write. */
const PARTS: { readonly [Part in keyof SharedParts]: readonly [holds: (value: unknown) => boolean, write: string] } = {
  store: [value => typeof value === 'object' && value !== null && 'take' in value, 'write store: createMemoryStore()'],
  ticketSecret: [value => typeof value === 'string', SECRET],
  hashKey: [value => typeof value === 'string', SECRET],
  logOf: [value => typeof value === 'function', 'write logOf: route => pino().child({ route })'],
  reported: [value => typeof value === 'function', 'write reported: (route, event) => …'],
}

/** Throws a `TypeError` for a part that is missing, or none; a secret is not shown, and how good it is the policy judges. */
export function requireSharedParts(parts: SharedParts): void {
  const known = Object.keys(PARTS)
  const said = requireOptions('createGuardOf', parts, known, `createGuardOf({ ${known.join(', ')} })`)
  for (const [key, [holds, write]] of Object.entries(PARTS)) {
    if (!holds(said[key])) throw new TypeError(`createGuardOf: ${key} is ${kindOf(said[key])}; ${write}`)
  }
}

/** What workers of one gateway have in common. */
export interface Secrets {
  readonly ticketSecret: string
  readonly hashKey: string
}

/** Secrets that no other process knows: tickets and hashes then hold for as long as this one runs. */
export function randomSecrets(): Secrets {
  return { ticketSecret: randomBytes(32).toString('base64'), hashKey: randomBytes(32).toString('base64') }
}
