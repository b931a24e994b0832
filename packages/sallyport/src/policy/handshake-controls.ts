import { rowOf } from './control-row.ts'
import type { ControlRow } from './control-row.ts'
import { DEFINITIONS } from './definitions.ts'

/** The controls of the handshake door, in the order in which they are told. */
export const HANDSHAKE_CONTROLS: readonly ControlRow[] = DEFINITIONS.filter(({ id }) =>
  id.startsWith('handshake/'),
).map(control => rowOf(control))
