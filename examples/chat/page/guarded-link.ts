import { connect } from 'sallyport/client'
import type { Outgoing } from '../src/messages.ts'
import type { Link, LinkListeners, Sent } from './link.ts'
import { socketUrl } from './link.ts'

/** The guarded way: a ticket for every attempt, and close codes that say whether to come back. */
export function openGuardedLink(on: LinkListeners): Link {
  const connection = connect<Sent, Outgoing>(socketUrl())
  connection.onMessage(message => on.message(message))
  connection.when('denied', ({ code }) => on.refused(code))
  connection.when('state', state => {
    if (state === 'connecting' || state === 'waiting') on.state('connecting')
    else if (state === 'open' || state === 'resting') on.state(state)
  })
  connection.when('signin', () => on.state('ended'))
  connection.when('stop', () => on.state('stopped'))
  connection.when('error', () => on.state('stopped'))
  return connection
}
