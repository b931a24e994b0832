import type { ControlId } from 'sallyport'

/**
 * `hijacked`: a witness saw it happen. `blocked`: the browser kept the cookie back from a flawed app. `stopped`: the
 * named control refused the attack, and it alone, and the honest client works. `error`: anything that proves nothing.
 */
export type Verdict = 'hijacked' | 'blocked' | 'stopped' | 'error'

/** The flawed app, or the same behind the guard. */
export type Variant = 'vulnerable' | 'guarded'

/** What the guard refused while the attack ran. */
export interface DenialSeen {
  readonly control: ControlId
  readonly code: string
  readonly enforced: boolean
}

/** What the servers saw. Pages and clients are not believed. */
export interface Evidence {
  /** The attacker's server holds the secret, or the victim's state was changed. */
  readonly hijacked: boolean
  /** The exploit came to its end. */
  readonly finished: boolean
  readonly denials: readonly DenialSeen[]
  /** What the honest client reported after the attack; null where it was not asked. */
  readonly honest: string | null
}

export interface Judged {
  readonly verdict: Verdict
  /** Why it is an error; empty otherwise. */
  readonly why: string
}

/** What a cell must be for the flaw to be as described. */
export function expectedVerdict(variant: Variant, succeeds: boolean): Verdict {
  return variant === 'guarded' ? 'stopped' : succeeds ? 'hijacked' : 'blocked'
}

/** Judges one cell. `succeeds` is whether the flawed app is hijacked under the same conditions. */
export function judge(variant: Variant, control: ControlId, succeeds: boolean, evidence: Evidence): Judged {
  const { hijacked, finished, denials, honest } = evidence
  if (hijacked) return { verdict: 'hijacked', why: '' }
  const error = (why: string): Judged => ({ verdict: 'error', why })
  if (!finished) return error('the exploit did not come to an end')
  if (variant === 'vulnerable') return { verdict: 'blocked', why: '' }
  const enforced = denials.filter(denial => denial.enforced)
  if (enforced.length === 0) return error('nothing was denied: the attack failed by itself, and that proves nothing')
  // Where the browser kept the cookie back there is no session to find, whatever else is wrong.
  const others = enforced.filter(
    denial => denial.control !== control && (succeeds || denial.control !== 'handshake/session'),
  )
  if (others.length > 0) {
    return error(`denied by ${[...new Set(others.map(other => other.control))].join(', ')} instead of ${control}`)
  }
  if (honest === null) return error('the honest client was not asked')
  if (!honest.startsWith('works')) return error(`the honest client ${honest}`)
  return { verdict: 'stopped', why: '' }
}
