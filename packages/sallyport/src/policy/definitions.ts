import { shutdown } from '../controls/lifetime/shutdown.ts'
import { backpressure } from '../controls/lifetime/backpressure.ts'
import { session } from '../controls/lifetime/session.ts'
import { age } from '../controls/lifetime/age.ts'
import { idle } from '../controls/lifetime/idle.ts'
import { host } from '../controls/handshake/host.ts'
import { origin } from '../controls/handshake/origin.ts'
import { heartbeat } from '../controls/lifetime/heartbeat.ts'

/** The definition of every control, in the order in which docs and reports tell of them. */
export const DEFINITIONS = [host, origin, heartbeat, idle, age, session, backpressure, shutdown] as const
