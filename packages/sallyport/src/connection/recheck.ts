import { retryMs } from '../controls/lifetime/session.ts'
import { isThenable } from '../model/thenable.ts'
import { type Denial, deny } from '../model/verdict.ts'
import { end } from './ending.ts'
import { FLAG } from './flags.ts'
import type { Checked } from './services.ts'
import type { ConnectionState } from './state.ts'

/** Ends a connection whose session has expired, before the keeper's next tick. No later message is handled. */
export function hasExpired(connection: ConnectionState, now: number): boolean {
  const { expiresAt } = connection.session
  if (expiresAt === undefined || expiresAt > now || connection.services.policy.lifetime.session === null) return false
  end(connection, { kind: 'denied', denial: deny('SALLY_LIFETIME_EXPIRED') })
  return connection.readyState >= 2
}

/** Looks the session up again. The answer is applied when it arrives. */
export function recheck(connection: ConnectionState): void {
  if (connection.checking) return
  connection.checking = true
  const { attempt, services } = connection
  const take = (checked: Checked): void => {
    // Another policy has taken the connection over meanwhile. It makes its own check.
    if (connection.attempt !== attempt) return
    connection.checking = false
    if (connection.readyState >= 2 || checked.is === 'moot') return
    conclude(connection, checked)
    if (connection.readyState < 2) connection.services.touch(connection)
  }
  const checked = services.check(connection)
  if (isThenable(checked)) void Promise.resolve(checked).then(take)
  else take(checked)
}

function conclude(connection: ConnectionState, checked: Exclude<Checked, { readonly is: 'moot' }>): void {
  if (checked.is === 'yes') {
    noteAnswer(connection)
    connection.session = checked.session
  } else if (checked.is === 'no') {
    // If report mode keeps the connection open, the next check comes after the usual time.
    noteAnswer(connection)
    end(connection, { kind: checked.told ? 'standing' : 'denied', denial: checked.denial })
  } else {
    noteDoubt(connection, checked.denial, checked.told)
  }
}

function noteAnswer(connection: ConnectionState): void {
  connection.checkedAt = connection.services.now()
  connection.flag(FLAG.unjudged, false)
  if (connection.uncheckedSince === 0) return
  connection.uncheckedSince = 0
  connection.retryAt = 0
  connection.failures = 0
  connection.dropRare()
}

/**
 * It is unknown whether the connection may stay. Further failures and reloads do not change `uncheckedSince` and
 * `checkedAt`.
 */
function noteDoubt(connection: ConnectionState, denial: Denial, told: boolean): void {
  const { services } = connection
  const now = services.now()
  const isNew = connection.failures++ === 0
  if (connection.uncheckedSince === 0) connection.uncheckedSince = now
  connection.retryAt = now + retryMs(services.policy) * (0.75 + services.random() / 2)
  if (isNew && !told) services.denied('lifetime/session', denial, false, connection)
}
