import type { Level } from '../model/denials.ts'
import type { StoreState } from '../model/store.ts'

/** The event of each state of a shared store: its name in the OWASP vocabulary, level and description. */
export const STORE_STATES: Readonly<
  Record<StoreState['state'], readonly [event: string, level: Level, description: string]>
> = {
  available: ['sys_monitor_enabled', 'info', 'the shared store is available'],
  probing: ['sys_restart', 'info', 'the shared store is asked whether it is back'],
  unavailable: ['sys_monitor_disabled', 'error', 'the shared store is away; what needs it is denied'],
  lost: ['sys_crash', 'critical', 'the shared store was away for too long; open connections end'],
}

/** Facts about a running guard that an operator should know, in addition to its denials. */
export type Notice = 'outlives' | 'shares' | 'shares-copy' | 'twin' | 'apart'

/** The event of each notice: its name in the OWASP vocabulary, level, description and what to do. */
export const NOTICES: Readonly<
  Record<Notice, readonly [event: string, level: Level, description: string, detail: string]>
> = {
  outlives: [
    'sys_monitor_disabled',
    'warn',
    'a session lives for longer than a revocation is remembered',
    'raise lifetime.session.remember, or give guard.revoke the expiry: { session, expiresAt }',
  ],
  shares: [
    'sys_startup',
    'info',
    'the guard shares revocations, the default ticket secret and the default store with others of its name',
    'give it another name if they do not belong together',
  ],
  'shares-copy': [
    'sys_startup',
    'warn',
    'another copy of the library is in this process; its guards of the same name, or of an equal policy without a name, share revocations, the default ticket secret and the default store',
    'a bundler has put the library in twice; name the policy, and give it a ticket secret and a store',
  ],
  twin: [
    'sys_startup',
    'info',
    'a guard of an equal policy without a name is in this process; the two share nothing',
    'where a bundler has run the module of the guard twice, give the policy a name: then a revocation reaches both',
  ],
  apart: [
    'sys_startup',
    'warn',
    'another version of the library is in this process; the two share nothing',
    'update both; until then a revocation must be made on the guards of each',
  ],
}
