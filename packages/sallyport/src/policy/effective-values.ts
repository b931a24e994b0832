import { DEFINITIONS } from './definitions.ts'
import { type AnyDefinition, type Effective, off, on, unneeded } from '../controls/definition.ts'
import type { Policy } from '../model/policy.ts'
import type { ControlId } from '../model/verdict.ts'
import { listInWords, budgetInWords, countInWords, durationInWords, sizeInWords } from '../shape/words.ts'

const idle = unneeded
const list = listInWords

/** The effective values of one control, in words; never a secret. */
export function effectiveValues(id: ControlId, policy: Policy): Effective {
  const definition = DEFINITIONS.find(control => control.id === id)
  if (definition !== undefined) return effectiveOf(definition, policy)
  const read = READERS[id]
  return read === undefined ? off('unknown control') : read(policy)
}

function effectiveOf({ id, effective }: AnyDefinition, policy: Policy): Effective {
  const [door, name] = id.split('/') as ['handshake' | 'message' | 'lifetime', string]
  return effective((policy[door] as { readonly [name: string]: unknown })[name], policy)
}

const READERS: Readonly<Record<ControlId, (policy: Policy) => Effective>> = {
  'handshake/transport': ({ handshake, proxy }) =>
    handshake.transport === null
      ? off('plaintext is let in')
      : on(proxy.trust.length === 0 ? 'TLS or this machine' : `TLS, this machine, or the word of ${list(proxy.trust)}`),
  'handshake/request': ({ handshake: { request } }) =>
    on(
      `headers ≤ ${sizeInWords(request.headerBytes)} in ${request.headers} lines, target ≤ ${sizeInWords(request.targetBytes)}`,
    ),
  'handshake/fetch-metadata': ({ handshake }) =>
    handshake['fetch-metadata'] === null ? off('not looked at') : on('no contradiction'),
  'handshake/subprotocol': ({ handshake: { subprotocol } }) =>
    subprotocol === null
      ? off('none is answered')
      : on(`${list(subprotocol.serve)}${subprotocol.required ? ', required' : ''}`),
  'handshake/extensions': ({ handshake: { extensions } }) =>
    extensions === null
      ? on('nothing is compressed')
      : on(`deflate from ${sizeInWords(extensions.threshold)}, window 2^${extensions.windowBits}`),
  'handshake/rate': ({ handshake: { rate } }) =>
    rate === null
      ? off('no bound')
      : on(
          `per user ${budgetInWords(rate.perUser, 'attempts')}; strangers per IP ${budgetInWords(rate.perIp, 'attempts')}; strangers in all ${budgetInWords(rate.total, 'attempts')}`,
        ),
  'handshake/connections': ({ handshake: { connections } }) =>
    connections === null
      ? off('no bound')
      : on(
          `${countInWords(connections.total)} in all, ${countInWords(connections.perIp)} per IP (${countInWords(connections.strangersPerIp)} without a known user), ${countInWords(connections.perUser)} per user`,
        ),
  'handshake/session': ({ handshake: { session } }) =>
    session === null
      ? off('everybody is anonymous')
      : on(session.ambient === false ? 'a credential that the page adds' : 'a credential that browsers attach'),
  'handshake/ticket': ({ handshake: { ticket, session } }) => {
    if (ticket !== null) {
      const keys =
        ticket.secrets === null
          ? 'random secret'
          : `${ticket.secrets.length} secret${ticket.secrets.length === 1 ? '' : 's'}`
      const what =
        ticket.csrf === null ? `single use, ${durationInWords(ticket.ttlMs)}, ${keys}` : "the app's CSRF token"
      return on(`${what}, in ${ticket.carrier === 'query' ? `?${ticket.parameter}=` : ticket.carrier}`)
    }
    if (session === null) return idle('no session to bind one to')
    return session.ambient === false
      ? idle('not needed: browsers attach nothing by themselves')
      : off('the Origin alone is relied on')
  },
  'handshake/authorize': ({ handshake: { authorize } }) =>
    authorize === null ? off('no rule: every session may open') : on("the app's rule"),
  'lifetime/authentication': ({ lifetime: { authentication } }) =>
    authentication === null
      ? idle('not needed: decided before the upgrade')
      : on(durationInWords(authentication.deadlineMs)),
}
