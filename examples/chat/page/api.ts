/** Who is signed in. */
export interface Me {
  readonly name: string
  readonly displayName: string
}

/** What `GET /demo` tells of this demonstration. */
export interface Demo {
  readonly guarded: boolean
  readonly attackers: readonly string[]
  readonly accounts: readonly { readonly name: string; readonly displayName: string; readonly password: string }[]
}

/** A refusal by the HTTP side, in words for the person. */
export class Refused extends Error {}

async function call<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  if (response.status === 204) return undefined as T
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok) return answer as T
  const message = (answer as { error?: unknown } | null)?.error
  throw new Refused(typeof message === 'string' ? message : `The server answered ${response.status}.`)
}

export const demo = (): Promise<Demo> => call('GET', '/demo')
export const signIn = (name: string, password: string): Promise<Me> => call('POST', '/login', { name, password })
export const signOut = (): Promise<void> => call('POST', '/logout')

/** Null when nobody is signed in. */
export async function me(): Promise<Me | null> {
  return (await call<{ readonly user: Me | null }>('GET', '/me')).user
}
