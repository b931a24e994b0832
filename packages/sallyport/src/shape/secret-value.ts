import { refuse } from './fields.ts'
import type { Fields } from './fields.ts'
import { hidden } from './secret-text.ts'
import { kindOf } from './shown.ts'

/** HMAC-SHA-256 keys shorter than its output are weaker than it (RFC 2104 §3). */
const LEAST_BYTES = 32
const MOST_BYTES = 4096
const LEAST_DISTINCT = 8
const GENERATE = 'write the output of `openssl rand -base64 32`, from the environment'

const PLACEHOLDER =
  /secret|change|please|password|passwd|placeholder|example|replace|default|insecure|dummy|super|keyboard|cat|this|with|your|here|not|for|production|token|ticket|csrf|session|key|test|todo|the|me|my|in|a|01234567890?|1234567890?|1234|xxx+/gi

/** A secret, or null and a problem that tells its kind and length, never its content. */
export function readSecret(value: unknown, at: Fields, key: string | number): string | null {
  if (typeof value !== 'string') {
    refuse(at, key, kindOf(value), 'a secret is text', GENERATE)
    return null
  }
  const bytes = Buffer.byteLength(value, 'utf8')
  const shown = hidden(value)
  if (bytes < LEAST_BYTES) {
    refuse(at, key, shown, `shorter than ${LEAST_BYTES} bytes`, GENERATE)
    return null
  }
  if (bytes > MOST_BYTES) {
    refuse(at, key, shown, `longer than ${MOST_BYTES} bytes`, GENERATE)
    return null
  }
  if (isPlaceholder(value)) {
    refuse(at, key, shown, 'a placeholder that anybody can guess', GENERATE)
    return null
  }
  return value
}

/** A short unit repeated, few distinct characters, or nothing left once the words of placeholders are taken out. */
export function isPlaceholder(secret: string): boolean {
  if (new Set(secret).size < LEAST_DISTINCT) return true
  for (let unit = 1; unit <= secret.length / 2; unit++) {
    if (secret.slice(unit) === secret.slice(0, -unit)) return true
  }
  return secret.replaceAll(PLACEHOLDER, '').replaceAll(/[\s._-]/g, '').length < LEAST_DISTINCT
}
