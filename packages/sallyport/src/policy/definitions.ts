import { host } from '../controls/handshake/host.ts'
import { origin } from '../controls/handshake/origin.ts'
import { heartbeat } from '../controls/lifetime/heartbeat.ts'

/** The definition of every control, in the order in which docs and reports tell of them. */
export const DEFINITIONS = [host, origin, heartbeat] as const
