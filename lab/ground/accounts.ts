import { randomBytes } from 'node:crypto'

/** A user of the victim's app. */
export interface Account {
  readonly name: string
  readonly password: string
  readonly passwordHash: string
  /** What nobody else may read. */
  readonly privateMessages: string[]
}

/** Users by name: `ann` is the victim, `bob` another honest user, `mallory` the attacker's own account. */
export type Accounts = Map<string, Account>

/** Three accounts; each private message of `ann` holds `secret`. */
export function createAccounts(secret: string): Accounts {
  const account = (name: string, ...privateMessages: string[]): [string, Account] => [
    name,
    {
      name,
      password: `${name}-${randomBytes(4).toString('hex')}`,
      passwordHash: `scrypt$${randomBytes(16).toString('hex')}`,
      privateMessages,
    },
  ]
  return new Map([account('ann', `The safe's code is ${secret}`), account('bob', 'Lunch at noon?'), account('mallory')])
}
