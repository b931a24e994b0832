/** A policy of which nothing is wrong, for tests that spoil one thing in it. */
export const SECRET = 'bXk4c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtMTc='

export interface Spoilt {
  [key: string]: unknown
}

/** Sections are replaced key by key: `{ 'handshake.origin': … }`. */
export function policyWith(changes: Readonly<Record<string, unknown>> = {}): Spoilt {
  const handshake: Spoilt = { origin: { allow: ['https://app.company.com'] }, session: () => null }
  const message: Spoilt = { schema: { chat: { type: 'object' } } }
  const policy: Spoilt = { handshake, message }
  for (const [path, value] of Object.entries(changes)) {
    const [section = '', key] = path.split('.')
    if (key === undefined) policy[section] = value
    else {
      policy[section] ??= {}
      Object.defineProperty(policy[section], key, { value, enumerable: true, configurable: true, writable: true })
    }
  }
  return policy
}
