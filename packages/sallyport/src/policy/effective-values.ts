import { DEFINITIONS } from './definitions.ts'
import { type AnyDefinition, type Effective, off, on, unneeded } from '../controls/definition.ts'
import type { Policy } from '../model/policy.ts'
import type { ControlId } from '../model/verdict.ts'
import { durationInWords } from '../shape/words.ts'

/** The effective values of one control as text. Never contains a secret. */
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
  'lifetime/authentication': ({ lifetime: { authentication } }) =>
    authentication === null
      ? unneeded('not needed: decided before the upgrade')
      : on(durationInWords(authentication.deadlineMs)),
}
