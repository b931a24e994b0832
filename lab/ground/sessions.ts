import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { parseCookie } from 'cookie'
import type { SessionResolver } from 'sallyport'
import type { Account, Accounts } from './accounts.ts'

export const COOKIE = 'sid'

/** Signed-in sessions by the value of the cookie `sid`. */
export interface Sessions {
  begin(account: Account): string
  end(id: string): void
  id(request: IncomingMessage): string | undefined
  user(request: IncomingMessage): Account | undefined
  readonly resolver: SessionResolver
}

export function createSessions(accounts: Accounts): Sessions {
  const names = new Map<string, string>()
  const account = (id: string | undefined): Account | undefined =>
    id === undefined ? undefined : accounts.get(names.get(id) ?? '')
  const id = (request: IncomingMessage): string | undefined => {
    const value = parseCookie(request.headers.cookie ?? '')[COOKIE]
    return value !== undefined && names.has(value) ? value : undefined
  }
  return {
    begin({ name }) {
      const made = randomBytes(16).toString('hex')
      names.set(made, name)
      return made
    },
    end: ended => void names.delete(ended),
    id,
    user: request => account(id(request)),
    resolver(request) {
      const value = request.cookie(COOKIE)
      const user = account(value)
      return value === undefined || user === undefined ? null : { id: value, user: user.name }
    },
  }
}
