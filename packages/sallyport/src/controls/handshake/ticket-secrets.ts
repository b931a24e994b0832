import { type Fields, refuse } from '../../shape/fields.ts'
import { readEach } from '../../shape/scalars.ts'
import { readSecret } from '../../shape/secret-value.ts'
import type { Shape } from '../../shape/shape.ts'
import { isEmptyList, isList, kindOf } from '../../shape/shown.ts'

const MOST_SECRETS = 16

/** HMAC keys, newest first. Null stands for a random one. An undefined entry (an unset variable) is ignored. */
export const secrets: Shape<readonly string[] | null, string | readonly (string | undefined)[] | undefined> = {
  type: 'string or string[]',
  schema: { type: ['string', 'array'], items: { type: 'string' } },
  read: readSecrets,
  words: found => (found === null ? 'random for this process' : 'given'),
}

function readSecrets(section: Fields, name: string, fallback: readonly string[] | null): readonly string[] | null {
  const value = section.get(name)
  if (value === undefined) return fallback
  if (!isList(value)) {
    const secret = readSecret(value, section, name)
    return secret === null ? null : Object.freeze([secret])
  }
  // An undefined entry is ignored here too, because the variable of the previous secret is removed after a while.
  const read = readEach(section, name, 'process.env.TICKET_SECRET', (one, at, index) =>
    one === undefined ? null : readSecret(one, at, index),
  )
  if (isEmptyList(value) || isUnset(value))
    refuse(section, name, kindOf(value), 'no secret', 'write one, or leave it out for a random one')
  if (read !== null && read.length > MOST_SECRETS)
    refuse(
      section,
      name,
      kindOf(value),
      `more than ${MOST_SECRETS} secrets`,
      'drop those that no live ticket was signed with',
    )
  return read
}

function isUnset(list: unknown): boolean {
  try {
    return Array.isArray(list) && list.length <= MOST_SECRETS && list.every(one => one === undefined)
  } catch {
    return false
  }
}
