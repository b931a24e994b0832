import { rowOf } from './control-row.ts'
import type { ControlRow } from './control-row.ts'
import { DEFINITIONS } from './definitions.ts'

/** The controls of the handshake door, in the order of docs and reports. */
export const HANDSHAKE_CONTROLS: readonly ControlRow[] = DEFINITIONS.filter(({ id }) =>
  id.startsWith('handshake/'),
).map(control => rowOf(control))
