import type { ControlRow } from './control-row.ts'
import { HANDSHAKE_CONTROLS } from './handshake-controls.ts'
import { LIFETIME_CONTROLS } from './lifetime-controls.ts'
import { MESSAGE_CONTROLS } from './message-controls.ts'

export type { ControlRow } from './control-row.ts'

/** All controls. Each has one id, one row, one source file, one test and one page. */
export const CONTROLS: readonly ControlRow[] = Object.freeze([
  ...HANDSHAKE_CONTROLS,
  ...MESSAGE_CONTROLS,
  ...LIFETIME_CONTROLS,
])
